# SPDX-License-Identifier: Apache-2.0
"""``image build``: a root file system becomes a disk for a board, which boots and updates itself.

With a RECIPE, everything is said there; `image init` writes one to begin with. What has not changed
since an earlier build is taken from a cache. --dry-run says what would be done.

Without one, --board, --rootfs and --output make a disk of a root file system as it is: a directory,
a tar archive, a container image (oci:PATH, docker-archive:PATH), a commit (ostree:REPO:REV), or a
Debian that is made on the spot (debian:SUITE:PACKAGE,PACKAGE). Nobody need be root; an archive says
who owns what, and in a directory everything is root's unless root builds. It is committed to a
repository, that of --repo if devices are to pull from it, and deployed on a disk with the
partitions and the boot loader of the board.

The same input gives the same bytes. Times are those of SOURCE_DATE_EPOCH, or else of the newest
file that there is.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import remove_tree
from ostrya.cli.environment import parse_source_date_epoch
from ostrya.cli.image_recipes import build_of_recipe
from ostrya.cli.options import flag, text, texts
from ostrya.cli.output import write_json, write_line
from ostrya.cli.sizes import parse_size
from ostrya.errors import ImageError
from ostrya.image.board import board_names, load_board
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.image.deployments import Remote
from ostrya.image.release import Release, ReleaseOptions, commit_release, publish_release
from ostrya.image.source_kinds import CommitSource
from ostrya.image.sources import find_source
from ostrya.image.wished_source import for_board
from ostrya.repo.config_writer import write_config
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import create_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.image.builder import Disk
    from ostrya.repo.repository import Repository

PARAMETERS = "[RECIPE]"
OPTIONS = (
    text("board", "NAME", "What it is for, whatever the recipe says; see --list-boards"),
    texts("profile", "NAME", "Of the recipe: lay this profile over it"),
    text("output-dir", "PATH", "Of a recipe: where outputs are written; default: here"),
    flag("dry-run", "Of a recipe: say which steps there are, and do none"),
    text("cache", "PATH", "Of a recipe: where earlier builds left what they made"),
    flag("no-cache", "Of a recipe: take nothing from earlier builds, and leave nothing"),
    text(
        "rootfs",
        "PATH",
        "The root file system: a directory, an archive, or one of oci:PATH, "
        "docker-archive:PATH, ostree:REPO:REV, debian:SUITE:PACKAGE,PACKAGE",
    ),
    text("output", "FILE", "The disk to be written"),
    text("firmware", "DIR", "Where files are that the board needs, and that nobody else has"),
    text("ref", "REF", "What its system follows; default: os/stable"),
    text("repo", "PATH", "Commit to this repository, an archive; made if it is not there"),
    text("os-version", "VERSION", "What the release is called"),
    text("os", "STATEROOT", "What its system is called; default: os"),
    text(
        "size", "SIZE", "How large the disk is, as 4G or 900M; default: room for a second release"
    ),
    texts("karg", "NAME=VALUE", "An argument of its kernel, beside those of the board"),
    texts("remote", "NAME=URL", "Where it gets updates; the first is the one that it follows"),
    flag("no-verify", "Devices take what remotes have without signatures"),
    flag("list-boards", "List the boards, and build nothing"),
)
_DEFAULT_REF = "os/stable"


def run(arguments: Arguments, context: Context) -> int:
    """Build it."""
    if arguments.flag("list-boards"):
        for name in board_names():
            write_line(f"{name:32} {load_board(name).title}")
        return 0
    if arguments.positionals:
        return build_of_recipe(arguments, context)
    _refuse_options_of_recipes(arguments, context)
    wanted = [arguments.text(name) for name in ("board", "rootfs", "output")]
    name, rootfs, output = (word or "" for word in wanted)
    if not (name and rootfs and output):
        raise context.usage_error("a RECIPE, or --board, --rootfs and --output must be specified")
    folder = os.path.dirname(os.path.abspath(output))
    if not os.path.isdir(folder):
        raise ImageError(f"there is no folder {folder} for {output}", hint="make it first")
    board = load_board(name)
    source = for_board(find_source(rootfs), board)
    if isinstance(source, CommitSource) and not source.repo:
        raise context.usage_error("--rootfs=ostree:REPO:REV must name a repository")
    given = context.environment.source_date_epoch
    timestamp = None if given is None else parse_source_date_epoch(given)
    options = _disk_options(arguments, context)
    progress = context.progress()
    with _repository(arguments.text("repo"), output) as repo:
        release = commit_release(
            repo,
            source,
            ReleaseOptions(
                options.ref,
                timestamp,
                arguments.text("os-version") or "",
                board.fstab,
                board.ramdisk_modules,
            ),
            publish=False,
            progress=progress,
        )
        if not context.json:
            _print_release(release)
        disk = build_disk(
            repo,
            [release.checksum],
            board,
            output,
            options._replace(timestamp=release.timestamp),
            firmware=arguments.text("firmware") or "",
            tell=(lambda _line: None) if context.json else write_line,
            progress=progress,
        )
        if release.is_new:
            # Last: devices get nothing of a build that failed.
            publish_release(repo, options.ref, release.checksum)
    if context.json:
        write_json(_describe(release, disk))
    return 0


def _refuse_options_of_recipes(arguments: Arguments, context: Context) -> None:
    given = [name for name in ("output-dir", "cache") if arguments.text(name) is not None]
    given += ["profile"] if arguments.texts("profile") else []
    given += [name for name in ("dry-run", "no-cache") if arguments.flag(name)]
    if given:
        raise context.usage_error(f"--{given[0]}: that is for a RECIPE, and none is given")


def _disk_options(arguments: Arguments, context: Context) -> DiskOptions:
    size = arguments.text("size")
    size_bytes = 0 if size is None else parse_size(size, "--size")
    settings = (("gpg-verify", False),) if arguments.flag("no-verify") else ()
    remotes = []
    for word in arguments.texts("remote"):
        name, equals, url = word.partition("=")
        if not (name and equals and url):
            raise context.usage_error(f"--remote: '{word}' is not NAME=URL")
        remotes.append(Remote(name, url, settings))
    return DiskOptions(
        arguments.text("ref") or _DEFAULT_REF,
        0,
        arguments.text("os") or "os",
        size_bytes,
        tuple(arguments.texts("karg")),
        tuple(remotes),
    )


@contextmanager
def _repository(path: str | None, output: str) -> Iterator[Repository]:
    """Open the repository; without one, one that lasts as long as the build."""
    if path is not None:
        with create_repository(path, RepoMode.ARCHIVE) as repo:
            yield repo
        return
    folder = tempfile.mkdtemp(prefix=".ostrya-repo-", dir=os.path.dirname(os.path.abspath(output)))
    try:
        with create_repository(folder, RepoMode.ARCHIVE) as repo:
            keyfile = repo.config.keyfile
            keyfile.set_value("core", "fsync", "false")
            keyfile.set_value("archive", "zlib-level", "1")
            write_config(repo, keyfile)
            repo.reload_config()
            yield repo
    finally:
        remove_tree(folder)


def _print_release(release: Release) -> None:
    for line in release.decisions:
        write_line(f"  {line}")
    word = "committed" if release.is_new else "nothing new since"
    write_line(f"{word} {release.checksum}")


def _describe(release: Release, disk: Disk) -> dict[str, object]:
    return {
        "commit": str(release.checksum),
        "is_new": release.is_new,
        "kernel": release.kver,
        "decisions": list(release.decisions),
        "report": [one._asdict() for one in release.report],
        "path": disk.path,
        "partitions": [
            {
                "number": number,
                "name": one.name,
                "guid": str(one.guid),
                "first": one.first,
                "sectors": one.sectors,
            }
            for number, one in zip(disk.plan.numbers, disk.plan.partitions, strict=True)
        ],
    }
