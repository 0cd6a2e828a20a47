# SPDX-License-Identifier: Apache-2.0
"""The parts of a container image by their paths, in a directory or in a tar.

A tar is looked through once, and then read wherever a part lies. One that is compressed is inflated
first, into a file without a name.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Protocol

from ostrya._linux.atomic import open_spool, write_all
from ostrya.image.errors import SourceError
from ostrya.tree.archive_stream import ArchiveReader, InflatedStream, find_compression
from ostrya.tree.archive_tar import TAR_ERRORS, BoundedTarFile
from ostrya.tree.errors import ArchiveError

if TYPE_CHECKING:
    from typing import Self

    from ostrya.image.intake.oci_documents import Digest
    from ostrya.tree.archive_import import ArchiveExtent

_CHUNK_BYTES = 1 << 20
_BLOCK_BYTES = 512
_MAX_PARTS = 100_000
_MAX_LINKS = 8


class Blob:
    """A part of an image, read from front to back.

    Attributes:
        size: How many bytes it has.
    """

    def __init__(self, fd: int, offset: int, size: int) -> None:
        """Read a piece of an open file, which is closed with it."""
        self.size = size
        self._fd = fd
        self._at = offset
        self._end = offset + size

    def read(self, size: int = -1) -> bytes:
        """Return some of the next bytes; none at the end."""
        left = self._end - self._at
        data = os.pread(self._fd, min(left, _CHUNK_BYTES if size < 0 else size), self._at)
        self._at += len(data)
        return data

    def read_all(self, most: int) -> bytes:
        """Return all of it.

        Raises:
            SourceError: It is larger than ``most``.
        """
        if self.size > most:
            raise SourceError(f"it is larger than {most:,} bytes")
        return b"".join(iter(self.read, b""))

    def close(self) -> None:
        """Close it."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class Parts(Protocol):
    """Where the parts of an image are."""

    def open(self, path: str) -> Blob | None:
        """Open a part; None if there is none of that path."""

    def close(self) -> None:
        """Let go of what they are in."""


class FolderParts:
    """Parts in a directory."""

    def __init__(self, path: str) -> None:
        """Look into a directory.

        Raises:
            OSError: It cannot be opened.
        """
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def open(self, path: str) -> Blob | None:
        """Open a part; None if there is none of that path."""
        names = path.split("/")
        if any(name in {"", ".", ".."} for name in names):
            return None
        try:
            # Whoever made the directory may have linked parts that it shares with others.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=self._fd)
        except (FileNotFoundError, NotADirectoryError):
            return None
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            return None
        return Blob(fd, 0, found.st_size)

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._fd)


class TarParts:
    """Parts in a tar."""

    def __init__(self, path: str, spool_fd: int, limits: ArchiveExtent) -> None:
        """Look through a tar.

        Args:
            path: Where it is.
            spool_fd: A directory for a file without a name, if it has to be inflated.
            limits: How much it may hold.

        Raises:
            SourceError: It is no tar, or holds too much.
            ArchiveError: It is damaged, or holds too much.
            OSError: It cannot be read.
        """
        self._shown = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._places: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        try:
            self._inflate(spool_fd, limits)
            self._look_through()
        except BaseException:
            os.close(self._fd)
            raise

    def open(self, path: str) -> Blob | None:
        """Open a part; None if there is none of that path."""
        name = _plain(path)
        for _ in range(_MAX_LINKS):
            if name not in self._links:
                break
            name = self._links[name]
        place = self._places.get(name)
        return None if place is None else Blob(os.dup(self._fd), *place)

    def close(self) -> None:
        """Let go of the tar."""
        os.close(self._fd)

    def _inflate(self, spool_fd: int, limits: ArchiveExtent) -> None:
        reader = ArchiveReader(_whole(self._fd))
        if not find_compression(reader.peek(6)):
            return
        inflated = InflatedStream(reader, max_bytes=limits.size_bytes)
        spool = open_spool(spool_fd)
        try:
            while data := inflated.read(_CHUNK_BYTES):
                write_all(spool, data)
        except BaseException:
            os.close(spool)
            raise
        os.close(self._fd)
        self._fd = spool

    def _look_through(self) -> None:
        try:
            with BoundedTarFile.open_stream(ArchiveReader(_whole(self._fd))) as archive:
                while (member := archive.next_member()) is not None:
                    name = _plain(member.name)
                    if member.isreg() and not member.issparse():
                        self._places[name] = (member.offset_data, member.size)
                    elif member.issym():
                        folder = os.path.dirname(name)
                        self._links[name] = _plain(f"{folder}/{member.linkname}")
                    elif member.islnk():
                        self._links[name] = _plain(member.linkname)
                    if len(self._places) + len(self._links) > _MAX_PARTS:
                        raise SourceError(
                            f"{self._shown}: it has more than {_MAX_PARTS:,} files",
                            hint="it is no image of containers",
                        )
        except TAR_ERRORS as exc:
            raise SourceError(f"{self._shown}: it is no tar, or damaged: {exc}") from exc


class CheckedStream:
    """A stream that hashes what is read of it.

    The digest is compared when the end is reached: nothing may be believed before.
    """

    def __init__(self, stream: IO[bytes] | Blob | InflatedStream, digest: Digest) -> None:
        """Read a stream that should hash to something."""
        self._stream = stream
        self._hasher = hashlib.new(digest.algorithm)
        self._digest = digest

    def read(self, size: int = -1) -> bytes:
        """Return some of the next bytes; none at the end."""
        data = self._stream.read(_CHUNK_BYTES if size < 0 else size)
        self._hasher.update(data)
        return data

    def check(self, shown: str) -> None:
        """Read to the end, and compare.

        Raises:
            SourceError: It hashes to something else.
        """
        while self.read():
            pass
        found = self._hasher.hexdigest()
        if found != self._digest.value:
            raise SourceError(
                f"{shown}: it hashes to {self._digest.algorithm}:{found}, not to {self._digest}",
                hint="the image is damaged, or not the one that it says it is; get it again",
            )


class PaddedStream:
    """A stream that ends with a whole block of a tar, by zeros if need be."""

    def __init__(self, stream: CheckedStream) -> None:
        """Read a stream."""
        self._stream = stream
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        """Return some of the next bytes; none at the end."""
        data = self._stream.read(size) or bytes(-self._count % _BLOCK_BYTES)
        self._count += len(data)
        return data


def _whole(fd: int) -> IO[bytes]:
    os.lseek(fd, 0, os.SEEK_SET)
    return io.FileIO(fd, closefd=False)


def _plain(path: str) -> str:
    """Return a path without dots; one that leads out is none of ours."""
    return os.path.normpath(path).lstrip("/")


def first_names(path: str, count: int) -> list[str]:
    """Return the first names in a tar, compressed or not; none if it is no tar."""
    names: list[str] = []
    with open(path, "rb") as stream, suppress(*TAR_ERRORS, ArchiveError, OSError):
        reader = ArchiveReader(stream)
        if find_compression(reader.peek(6)):
            reader = ArchiveReader(InflatedStream(reader))
        with BoundedTarFile.open_stream(reader) as archive:
            while len(names) < count and (member := archive.next_member()) is not None:
                names.append(_plain(member.name))
    return names
