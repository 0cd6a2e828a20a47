# SPDX-License-Identifier: Apache-2.0
"""``image diff``: what differs between two images, two releases, or one of each.

An image is a file that is there; what is none is a ref or a commit of the repository of --repo.
Files are compared as they were released, not as somebody changed them since; of images, partitions,
the files of the FAT and the arguments of the kernel are compared too.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya.cli.options import flag, text
from ostrya.cli.output import write_json, write_line
from ostrya.image.errors import DiskError
from ostrya.image.reading.compare import How, add_up, compare_files, compare_packages
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.releases import compare_boot, compare_disks, of_commit, of_image
from ostrya.repo.free_space import format_size
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import open_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.image.reading.compare import FileChange, PackageChange, Sums
    from ostrya.image.reading.releases import Compared

PARAMETERS = "OLD NEW"
OPTIONS = (
    text("repo", "PATH", "Where refs and commits are"),
    flag("packages", "Compare packages alone"),
    flag("stats", "Print sums alone"),
)
_LETTERS = {How.ADDED: "A", How.REMOVED: "D", How.CHANGED: "M"}
_SHORT = 12


def run(arguments: Arguments, context: Context) -> int:
    """Print it."""
    if len(arguments.positionals) != 2:
        raise context.usage_error("Two images or releases must be specified")
    with ExitStack() as stack:
        old, new = (_open(word, arguments, stack) for word in arguments.positionals)
        only_packages = arguments.flag("packages")
        files = [] if only_packages else list(compare_files(old.side, new.side))
        disks = []
        if old.disk is not None and new.disk is not None and not only_packages:
            files += compare_boot(old.disk, new.disk)
            disks = compare_disks(old.disk, new.disk)
            if old.options != new.options:
                disks.append(f"kernel arguments: {old.options} -> {new.options}")
        packages = compare_packages(old.packages, new.packages)
    sums = add_up(files)
    if context.json:
        write_json(_describe(old, new, files, packages, disks))
        return 0
    if not arguments.flag("stats"):
        for line in (*map(_file_line, files), *disks, *map(_package_line, packages)):
            write_line(line)
    for line in _sum_lines(old, new, sums, packages):
        write_line(line)
    return 0


def _open(word: str, arguments: Arguments, stack: ExitStack) -> Compared:
    if os.path.isfile(word):
        return of_image(stack.enter_context(DiskImage(word)))
    path = arguments.text("repo")
    if path is None:
        raise DiskError(f"there is no image {word}", hint="releases are found in that of --repo")
    repo = stack.enter_context(open_repository(path))
    return of_commit(repo, require_rev(repo, word), word)


def _file_line(one: FileChange) -> str:
    sizes = [format_size(size) for size in (one.old_bytes, one.new_bytes) if size is not None]
    if one.path.endswith("/"):
        return f"{_LETTERS[one.how]}    {one.path}"
    return f"{_LETTERS[one.how]}    {one.path} ({' -> '.join(dict.fromkeys(sizes))})"


def _package_line(one: PackageChange) -> str:
    if one.how is How.CHANGED:
        return f"package {one.name}: {one.old_version} -> {one.new_version}"
    return f"package {one.name}: {one.how.value} {one.new_version or one.old_version}"


def _sum_lines(
    old: Compared, new: Compared, sums: Sums, packages: list[PackageChange]
) -> Iterator[str]:
    left, right = (f"{one.version or one.side.commit[:_SHORT]}" for one in (old, new))
    yield f"{left} -> {right}"
    sign = "-" if sums.growth_bytes < 0 else "+"
    yield (
        f"files: {sums.added} added ({format_size(sums.added_bytes)}), "
        f"{sums.removed} removed ({format_size(sums.removed_bytes)}), "
        f"{sums.changed} changed ({format_size(sums.new_bytes)}); "
        f"in sum {sign}{format_size(abs(sums.growth_bytes))}"
    )
    counts = {how: sum(1 for one in packages if one.how is how) for how in How}
    words = ", ".join(f"{counts[how]} {how.value}" for how in How)
    yield f"packages: {words}"


def _describe(
    old: Compared,
    new: Compared,
    files: list[FileChange],
    packages: list[PackageChange],
    disks: list[str],
) -> dict[str, object]:
    sums = add_up(files)
    return {
        "old": {"name": old.name, "commit": str(old.side.commit), "version": old.version},
        "new": {"name": new.name, "commit": str(new.side.commit), "version": new.version},
        "files": [
            {"path": one.path, "how": one.how.value, "old": one.old_bytes, "new": one.new_bytes}
            for one in files
        ],
        "packages": [
            {"name": one.name, "how": one.how.value, "old": one.old_version, "new": one.new_version}
            for one in packages
        ],
        "disk": disks,
        "sums": {**sums._asdict(), "growth_bytes": sums.growth_bytes},
    }
