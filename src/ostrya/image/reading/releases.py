# SPDX-License-Identifier: Apache-2.0
"""Two things that are compared: images, or releases of a repository."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ostrya.formats.commit import KEY_VERSION
from ostrya.image.errors import DiskError
from ostrya.image.reading.commit_files import commit_reader
from ostrya.image.reading.compare import FileChange, How, Side
from ostrya.image.reading.fat import Fat
from ostrya.image.reading.files import FileKind, View
from ostrya.image.reading.objects import ImageObjects, RepoObjects
from ostrya.image.reading.packages import Package, read_packages
from ostrya.image.reading.report import view_reader
from ostrya.image.reading.system import find_system
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.image.reading.disk import DiskImage
    from ostrya.image.reading.files import Place
    from ostrya.repo.repository import Repository


class Compared(NamedTuple):
    """One of two.

    Attributes:
        name: What it was called by who asked.
        side: Its release.
        version: Of that; empty for none.
        packages: What is in it.
        options: Arguments of its kernel; empty for a release of a repository.
        disk: The image; None for a release of a repository.
    """

    name: str
    side: Side
    version: str
    packages: list[Package]
    options: str = ""
    disk: DiskImage | None = None


def of_image(disk: DiskImage) -> Compared:
    """Return the default deployment of an image.

    Raises:
        DiskError: There is none, or it is damaged.
    """
    system = find_system(disk)
    if system is None or system.root.files is None:
        raise DiskError(f"{disk.path} has no OSTree system in it")
    default = system.default
    objects = ImageObjects(View(system.root.files))
    packages = read_packages(view_reader(system.view(default)), details=False)
    side = Side(objects, default.name.checksum)
    return Compared(disk.path, side, default.version, packages, _own(default.options), disk)


def _own(options: str) -> str:
    """Leave out what says where the deployment is, which differs in any case."""
    return " ".join(word for word in options.split() if not word.startswith("ostree="))


def of_commit(repo: Repository, commit: Checksum, name: str) -> Compared:
    """Return a release of a repository.

    Raises:
        ObjectNotFound: It is not complete.
    """
    objects = RepoObjects(repo)
    version = objects.commit(commit).metadata.lookup(KEY_VERSION, "s") or ""
    packages = read_packages(commit_reader(repo, commit), details=False)
    return Compared(name, Side(objects, commit), version, packages)


def compare_disks(old: DiskImage, new: DiskImage) -> list[str]:
    """Say how partitions differ, a sentence each.

    Raises:
        DiskError: A file system is damaged.
    """
    found = []
    before = {one.partition.number: one for one in old.volumes}
    after = {one.partition.number: one for one in new.volumes}
    for number in sorted({*before, *after}):
        one, other = before.get(number), after.get(number)
        if one is None or other is None:
            found.append(f"partition {number} is {'new' if one is None else 'gone'}")
            continue
        for word, left, right in (
            ("name", one.partition.name, other.partition.name),
            ("offset", one.partition.offset, other.partition.offset),
            ("size", one.partition.size_bytes, other.partition.size_bytes),
            ("type", one.partition.type, other.partition.type),
            ("file system", one.kind, other.kind),
        ):
            if left != right:
                found.append(f"partition {number}: {word} {left} -> {right}")
    return found


def compare_boot(old: DiskImage, new: DiskImage) -> Iterator[FileChange]:
    """Yield files of FAT partitions that differ, their paths behind the number of the partition.

    Raises:
        DiskError: A file system is damaged.
    """
    after = {one.partition.number: one for one in new.volumes}
    for volume in old.volumes:
        number = volume.partition.number
        other = after.get(number)
        if other is None or not isinstance(volume.files, Fat) or not isinstance(other.files, Fat):
            continue
        left, right = dict(_fat_files(volume.files)), dict(_fat_files(other.files))
        for path in sorted({*left, *right}):
            one, two = left.get(path), right.get(path)
            if one is None or two is None:
                how = How.ADDED if one is None else How.REMOVED
            elif _differ(one, two):
                how = How.CHANGED
            else:
                continue
            yield FileChange(
                f"{number}:{path}",
                how,
                None if one is None else one.entry.size_bytes,
                None if two is None else two.entry.size_bytes,
            )


def _fat_files(files: Fat) -> Iterator[tuple[str, Place]]:
    view = View(files)
    stack = [view.find("/")]
    while stack:
        for one in view.entries(stack.pop()):
            if one.entry.is_dir:
                if one.path.count("/") > _MOST_DEPTH:
                    raise DiskError(f"{one.path} is too deep")
                stack.append(one)
            elif one.entry.kind is FileKind.FILE:
                yield one.path, one


_MOST_DEPTH = 100


def _differ(one: Place, other: Place) -> bool:
    return one.entry.size_bytes != other.entry.size_bytes or _digest(one) != _digest(other)


def _digest(place: Place) -> str:
    digest = sha256()
    for chunk in place.files.chunks(place.entry):
        digest.update(chunk)
    return digest.hexdigest()
