# SPDX-License-Identifier: Apache-2.0
"""What differs between two releases: files and packages. What both have is not looked at."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.image.reading.objects import Objects
    from ostrya.image.reading.packages import Package

_MOST_DEPTH = 200
_Pair = tuple["Checksum | None", "Checksum | None"]


class How(StrEnum):
    """How something differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class FileChange(NamedTuple):
    """A file that differs.

    Attributes:
        path: Where it is; a directory ends in a slash.
        how: How it differs.
        old_bytes: How large it was; None if it was not there.
        new_bytes: How large it is; None if it is not there.
    """

    path: str
    how: How
    old_bytes: int | None = None
    new_bytes: int | None = None


class PackageChange(NamedTuple):
    """A package that differs.

    Attributes:
        name: What it is called, with its architecture where there is one.
        how: How it differs.
        old_version: Empty if it was not there.
        new_version: Empty if it is not there.
    """

    name: str
    how: How
    old_version: str = ""
    new_version: str = ""


class Side(NamedTuple):
    """One of two releases.

    Attributes:
        objects: Where its objects are.
        commit: Its commit.
    """

    objects: Objects
    commit: Checksum


def compare_files(old: Side, new: Side) -> Iterator[FileChange]:
    """Yield the files and directories that differ, in the order of paths.

    Raises:
        OstryaError: An object is missing or damaged.
    """
    one, other = old.objects.commit(old.commit), new.objects.commit(new.commit)
    comparison = _Comparison(old.objects, new.objects)
    if one.root_metadata != other.root_metadata:
        yield FileChange("/", How.CHANGED, 0, 0)
    yield from comparison.trees("/", (one.root_contents, other.root_contents), 0)


class _Comparison:
    def __init__(self, old: Objects, new: Objects) -> None:
        self._old, self._new = old, new

    def trees(self, path: str, pair: _Pair, depth: int) -> Iterator[FileChange]:
        old, new = pair
        if old == new:
            return
        if depth > _MOST_DEPTH:
            raise DiskError(f"{path} is too deep")
        left = None if old is None else self._old.dirtree(old)
        right = None if new is None else self._new.dirtree(new)
        files: dict[str, list[Checksum | None]] = {}
        folders: dict[str, list[tuple[Checksum, Checksum] | None]] = {}
        for side, tree in enumerate((left, right)):
            for name, checksum in tree.files if tree is not None else ():
                files.setdefault(name, [None, None])[side] = checksum
            for name, contents, meta in tree.dirs if tree is not None else ():
                folders.setdefault(name, [None, None])[side] = (contents, meta)
        for name in sorted({*files, *folders}):
            if name in files:
                yield from self._file(f"{path}{name}", files[name][0], files[name][1])
            if name in folders:
                one, other = folders[name]
                yield from self._folder(f"{path}{name}/", one, other, depth)

    def _file(self, path: str, old: Checksum | None, new: Checksum | None) -> Iterator[FileChange]:
        if old == new:
            return
        before = None if old is None else self._old.file(old).size_bytes
        after = None if new is None else self._new.file(new).size_bytes
        yield FileChange(path, _how(before is not None, after is not None), before, after)

    def _folder(
        self,
        path: str,
        old: tuple[Checksum, Checksum] | None,
        new: tuple[Checksum, Checksum] | None,
        depth: int,
    ) -> Iterator[FileChange]:
        if old == new:
            return
        if old is None or new is None or old[1] != new[1]:
            before = None if old is None else 0
            after = None if new is None else 0
            yield FileChange(path, _how(old is not None, new is not None), before, after)
        pair = (None if old is None else old[0], None if new is None else new[0])
        yield from self.trees(path, pair, depth + 1)


def _how(was: bool, is_there: bool) -> How:  # noqa: FBT001  # two of a kind
    if was and is_there:
        return How.CHANGED
    return How.REMOVED if was else How.ADDED


def compare_packages(old: Sequence[Package], new: Sequence[Package]) -> list[PackageChange]:
    """List the packages that differ, by name."""
    before = {_package_name(one): one.version for one in old}
    after = {_package_name(one): one.version for one in new}
    found = []
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one != other:
            how = _how(one is not None, other is not None)
            found.append(PackageChange(name, how, one or "", other or ""))
    return found


def _package_name(package: Package) -> str:
    architecture = package.architecture
    return f"{package.name}:{architecture}" if architecture else package.name


class Sums(NamedTuple):
    """How much differs, in bytes and files.

    Attributes:
        added: Files that are new.
        removed: Files that are gone.
        changed: Files that are others.
        added_bytes: In new files.
        removed_bytes: In files that are gone.
        old_bytes: In files that changed, before.
        new_bytes: In files that changed, after.
    """

    added: int
    removed: int
    changed: int
    added_bytes: int
    removed_bytes: int
    old_bytes: int
    new_bytes: int

    @property
    def growth_bytes(self) -> int:
        """How much larger the second one is."""
        return self.added_bytes - self.removed_bytes + self.new_bytes - self.old_bytes


def add_up(changes: Sequence[FileChange]) -> Sums:
    """Say how much differs; directories are not counted."""
    files = [one for one in changes if not one.path.endswith("/")]
    groups = {how: [one for one in files if one.how is how] for how in How}
    added, removed, changed = groups[How.ADDED], groups[How.REMOVED], groups[How.CHANGED]
    return Sums(
        len(added),
        len(removed),
        len(changed),
        sum(one.new_bytes or 0 for one in added),
        sum(one.old_bytes or 0 for one in removed),
        sum(one.old_bytes or 0 for one in changed),
        sum(one.new_bytes or 0 for one in changed),
    )
