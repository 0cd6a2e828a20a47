# SPDX-License-Identifier: Apache-2.0
"""What all file systems in an image have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from ostrya.image.errors import DiskError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.xattrs import Xattrs

_MOST_LINKS = 40


class FileKind(StrEnum):
    """What a name stands for."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    OTHER = "other"


class Entry(NamedTuple):
    """A file, a directory or a link in a file system.

    Attributes:
        name: In its directory; empty for the root.
        kind: What it is.
        mode: Permissions.
        uid: Owner.
        gid: Group.
        size_bytes: How large it is.
        mtime: When it was changed, in seconds since 1970 UTC.
        handle: What its file system finds it by: files with several names have it in common.
    """

    name: str
    kind: FileKind
    mode: int
    uid: int
    gid: int
    size_bytes: int
    mtime: int
    handle: int

    @property
    def is_dir(self) -> bool:
        """Whether it is a directory."""
        return self.kind is FileKind.DIRECTORY


class FileSystem(Protocol):
    """Files in a partition.

    Attributes:
        kind: ``ext4``, ``fat16`` and the like.
        uuid: Its own, as ``UUID=`` has it.
        size_bytes: How large it is.
    """

    kind: str
    uuid: str
    size_bytes: int

    @property
    def label(self) -> str:
        """What it is called."""

    @property
    def free_bytes(self) -> int:
        """How much of it is free."""

    def root(self) -> Entry:
        """Return its root."""

    def entries(self, directory: Entry) -> Iterator[Entry]:
        """Yield what is in a directory, in the order of names.

        Raises:
            DiskError: It is damaged.
        """

    def chunks(self, file: Entry) -> Iterator[bytes]:
        """Yield what is in a file.

        Raises:
            DiskError: It is damaged.
        """

    def target(self, link: Entry) -> str:
        """Return where a link leads.

        Raises:
            DiskError: It is damaged.
        """

    def find(self, directory: Entry, name: str) -> Entry | None:
        """Return what has a name in a directory; None if nothing has.

        Raises:
            DiskError: It is damaged.
        """

    def xattrs(self, entry: Entry) -> Xattrs:
        """Return extended attributes.

        Raises:
            DiskError: They are damaged.
        """


class Place(NamedTuple):
    """Something in a view.

    Attributes:
        path: Where it is, all links followed; begins with a slash.
        files: Its file system.
        entry: What it is.
    """

    path: str
    files: FileSystem
    entry: Entry


class View:
    """A tree of files, of one file system or several, as a system that runs has it.

    Links never lead out of it: what goes above its root is its root.
    """

    def __init__(self, files: FileSystem, root: Entry | None = None) -> None:
        """Look at a file system, or at a directory of it.

        Args:
            files: The file system.
            root: Which directory is the root; its own if None.
        """
        self._top = Place("/", files, files.root() if root is None else root)
        self._mounts: dict[str, Place] = {}

    def mount(self, path: str, files: FileSystem, root: Entry | None = None) -> None:
        """Put something else in place of what is at a path, and below it."""
        self._mounts[path] = Place(path, files, files.root() if root is None else root)

    def find(self, path: str, *, follow: bool = True) -> Place:
        """Return what a path leads to.

        Args:
            path: The path.
            follow: Whether a link at its end is followed; those before are in any case.

        Raises:
            DiskError: It is not there; links lead in circles; something is damaged.
        """
        trail = [self._mounts.get("/", self._top)]
        parts, links = _split(path), 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                trail = trail[:-1] or trail
                continue
            place = self._step(trail[-1], part, path)
            if place.entry.kind is FileKind.LINK and (parts or follow):
                links += 1
                if links > _MOST_LINKS:
                    raise DiskError(f"{path}: links lead in circles")
                target = place.files.target(place.entry)
                if target.startswith("/"):
                    trail = trail[:1]
                parts = _split(target) + parts
                continue
            trail.append(place)
        return trail[-1]

    def _step(self, here: Place, part: str, wanted: str) -> Place:
        where = f"{here.path.rstrip('/')}/{part}"
        if mounted := self._mounts.get(where):
            return mounted
        found = here.files.find(here.entry, part) if here.entry.is_dir else None
        if found is None:
            raise DiskError(f"{wanted} is not there")
        return Place(where, here.files, found)

    def entries(self, directory: Place) -> Iterator[Place]:
        """Yield what is in a directory.

        Raises:
            DiskError: It is damaged.
        """
        for entry in directory.files.entries(directory.entry):
            where = f"{directory.path.rstrip('/')}/{entry.name}"
            mounted = self._mounts.get(where)
            yield Place(where, directory.files, entry) if mounted is None else mounted

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """Read a file, links followed.

        Raises:
            DiskError: It is not there, is no file, or is larger.
        """
        place = self.find(path)
        if place.entry.kind is not FileKind.FILE:
            raise DiskError(f"{path} is no file")
        return read_file(place, max_bytes=max_bytes)


def read_file(place: Place, *, max_bytes: int) -> bytes:
    """Read a file.

    Raises:
        DiskError: It is larger, or damaged.
    """
    if place.entry.size_bytes > max_bytes:
        raise DiskError(f"{place.path} has {place.entry.size_bytes} bytes, more than {max_bytes}")
    return b"".join(place.files.chunks(place.entry))


def _split(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
