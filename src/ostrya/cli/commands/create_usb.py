# SPDX-License-Identifier: Apache-2.0
"""``create-usb``: copy refs to a removable volume.

The repository on the volume is made where there is none, in mode archive, which any file system
can hold. It is found by others at ``.ostree/repo``, ``ostree/repo`` or through a link in
``.ostree/repos.d``, which is made where the repository lies elsewhere.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux import dirfd
from ostrya.cli.options import flag, text
from ostrya.cli.output import write_line
from ostrya.cli.repo_lookup import make_runtime
from ostrya.errors import RepoError
from ostrya.formats.checksum import check_checksum
from ostrya.formats.refs import CollectionRef, check_collection_id, check_ref_name
from ostrya.pull.pull_local import pull_local
from ostrya.repo.bindings import check_bindings
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_commit
from ostrya.repo.ref_writer import write_collection_ref
from ostrya.repo.refs import list_collection_refs
from ostrya.repo.repository import create_repository, require_writable
from ostrya.repo.summary import regenerate_summary

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

PARAMETERS = "MOUNT-PATH COLLECTION-ID REF [COLLECTION-ID REF...]"
OPTIONS = (
    flag("disable-fsync", "Do not wait for the disk"),
    text("destination-repo", "DEST", "Directory of the repository within the volume"),
    text("commit", "COMMIT", "Copy this commit instead of the newest, for a single ref"),
)

_DEFAULT = ".ostree/repo"
_WELL_KNOWN = frozenset({_DEFAULT, "ostree/repo"})
_LINKS = ".ostree/repos.d"
_MAX_LINKS = 100


def run(arguments: Arguments, context: Context) -> int:
    """Copy the refs and write the summary there."""
    wanted = _parse_refs(arguments, context)
    mount = arguments.positionals[0]
    destination = arguments.text("destination-repo") or _DEFAULT
    source = context.repo
    mount_fd = dirfd.open_dir(mount, follow=True)
    try:
        _ensure_dirs(destination, mount_fd)
        runtime = make_runtime(context.environment)
        target = create_repository(destination, RepoMode.ARCHIVE, dir_fd=mount_fd, runtime=runtime)
        with target:
            _check_place(target, source, mount_fd, context)
            if arguments.flag("disable-fsync"):
                target.config = target.config._replace(fsync=False)
            for ref, checksum in _resolve(source, wanted, arguments.text("commit")).items():
                _copy(target, source, ref, checksum, context)
            regenerate_summary(target)
            if destination not in _WELL_KNOWN:
                _link(mount_fd, target, destination)
    finally:
        os.close(mount_fd)
    count = len(wanted)
    write_line(
        f"Copied {count}/{count} refs successfully from {_quote(source.path)} "
        f"to {_quote(destination)} repository in {_quote(mount)}."
    )
    return 0


def _quote(text: str) -> str:
    return f"\N{LEFT SINGLE QUOTATION MARK}{text}\N{RIGHT SINGLE QUOTATION MARK}"


def _parse_refs(arguments: Arguments, context: Context) -> list[CollectionRef]:
    words = arguments.positionals
    if not words:
        raise context.usage_error("A MOUNT-PATH must be specified")
    if len(words) < 3:
        raise context.usage_error("At least one COLLECTION-ID REF pair must be specified")
    if len(words) % 2 == 0:
        raise context.usage_error("Only complete COLLECTION-ID REF pairs may be specified")
    if arguments.text("commit") is not None and len(words) > 3:
        raise context.usage_error(
            "The --commit option can only be used when a single COLLECTION-ID REF pair is specified"
        )
    pairs = zip(words[1::2], words[2::2], strict=True)
    return [CollectionRef(check_collection_id(owner), check_ref_name(ref)) for owner, ref in pairs]


def _ensure_dirs(path: str, dir_fd: int) -> None:
    parts = path.split("/")
    for end in range(1, len(parts)):
        dirfd.ensure_dir("/".join(parts[:end]) or "/", dir_fd=dir_fd, mode=0o755)


def _check_place(target: Repository, source: Repository, mount_fd: int, context: Context) -> None:
    there, here = os.fstat(target.dir_fd), os.fstat(source.dir_fd)
    if there.st_dev != os.fstat(mount_fd).st_dev:
        raise context.usage_error("--destination-repo must be a descendent of MOUNT-PATH")
    if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
        raise context.usage_error("--destination-repo must not be the source repository")
    require_writable(target)


def _resolve(
    source: Repository, wanted: list[CollectionRef], commit: str | None
) -> dict[CollectionRef, Checksum]:
    known = list_collection_refs(source)
    found = {}
    for ref in wanted:
        if commit is not None:
            found[ref] = check_checksum(commit)
        elif ref in known:
            found[ref] = known[ref]
        else:
            raise RepoError(f"Collection-ref ({ref.collection_id}, {ref.ref}) not found")
    return found


def _copy(
    target: Repository,
    source: Repository,
    ref: CollectionRef,
    checksum: Checksum,
    context: Context,
) -> None:
    metadata = load_commit(source, checksum).metadata
    check_bindings(metadata, checksum, ref.collection_id, ref.ref)
    pull_local(target, source, [checksum], progress=context.progress())
    write_collection_ref(target, ref, checksum)


def _link(mount_fd: int, target: Repository, destination: str) -> None:
    """Let others find a repository that lies elsewhere, unless a link to it is there."""
    dirfd.ensure_dir(".ostree", dir_fd=mount_fd, mode=0o755)
    dirfd.ensure_dir(_LINKS, dir_fd=mount_fd, mode=0o755)
    identity = os.fstat(target.dir_fd)
    for index in range(_MAX_LINKS):
        path = f"{_LINKS}/{index:02}-generated"
        try:
            os.symlink(f"../../{destination}", path, dir_fd=mount_fd)
        except FileExistsError:
            if _leads_to(path, mount_fd, identity):
                return
            continue
        return
    raise RepoError("Could not find an unused symlink name for the repository")


def _leads_to(path: str, dir_fd: int, identity: os.stat_result) -> bool:
    try:
        found = os.stat(path, dir_fd=dir_fd)
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (identity.st_dev, identity.st_ino)
