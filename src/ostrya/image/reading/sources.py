# SPDX-License-Identifier: Apache-2.0
"""Bytes of an image, by their place on the disk, whatever the file is like.

A raw image is read where it is. Of a qcow2, clusters are looked up. A compressed image is unpacked
first, into a file without a name in which zeros are holes.
"""

from __future__ import annotations

import bz2
import importlib
import lzma
import os
import tempfile
import zlib
from typing import TYPE_CHECKING, Any, Protocol, Self

from ostrya._linux.atomic import open_spool, write_all
from ostrya.image.errors import DiskError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 1 << 20
_GRAIN_BYTES = 64 << 10
_ZEROS = bytes(_GRAIN_BYTES)
# No disk that somebody flashes is larger; zeros cost nothing on the way.
_MOST_BYTES = 1 << 43
_GZIP_OR_ZLIB_WINDOW = 47
_MAGICS = (
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)


class Source(Protocol):
    """What bytes are read from.

    Attributes:
        size_bytes: How many there are.
    """

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""

    def read(self, offset: int, size: int) -> bytes:
        """Return just so many bytes.

        Raises:
            DiskError: They are not there.
        """


class FileSource:
    """A raw image."""

    def __init__(self, fd: int) -> None:
        """Read an open file, and close it in the end."""
        self._fd = fd
        self._size = os.lseek(fd, 0, os.SEEK_END)

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return self._size

    @property
    def path(self) -> str:
        """Where other programs find it while it is open, even if it has no name."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    def read(self, offset: int, size: int) -> bytes:
        """Return just so many bytes.

        Raises:
            DiskError: They are not there.
            OSError: They cannot be read.
        """
        check_range(offset, size, self._size)
        data = os.pread(self._fd, size, offset)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), offset + len(data))
            if not more:
                raise DiskError(f"the image ends at byte {offset + len(data)}")
            data += more
        return data

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class Window:
    """A part of something: a partition."""

    def __init__(self, source: Source, offset: int, size: int) -> None:
        """Look at a part; what of it lies behind the end of the whole is not there."""
        self._source = source
        self._offset = offset
        self._size = max(0, min(size, source.size_bytes - offset))

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int, size: int) -> bytes:
        """Return just so many bytes.

        Raises:
            DiskError: They are not there.
        """
        check_range(offset, size, self._size)
        return self._source.read(self._offset + offset, size)


class BytesSource:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        """Look at some bytes."""
        self._data = data

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return len(self._data)

    def read(self, offset: int, size: int) -> bytes:
        """Return just so many bytes.

        Raises:
            DiskError: They are not there.
        """
        check_range(offset, size, len(self._data))
        return self._data[offset : offset + size]


def check_range(offset: int, size: int, most: int) -> None:
    """Look whether so many bytes are there.

    Raises:
        DiskError: They are not.
    """
    if offset < 0 or size < 0 or offset + size > most:
        raise DiskError(f"there are no {size} bytes at {offset}: it ends at {most}")


def compression_of(head: bytes) -> str:
    """Say by its first bytes how something is compressed: as its suffix; empty if it is not."""
    return next((name for magic, name in _MAGICS if head.startswith(magic)), "")


def unpacked(fd: int, compression: str) -> Iterator[bytes]:
    """Yield what is in a compressed file, from where it stands.

    Raises:
        DiskError: It is damaged, or not whole; zstd is not installed.
        OSError: It cannot be read.
    """
    unpacker: Any = None
    while data := os.read(fd, _CHUNK_BYTES):
        while data:
            if unpacker is None:
                unpacker = _unpacker(compression)
            try:
                # Of what is left, as much at once as memory allows.
                piece = unpacker.decompress(data, _CHUNK_BYTES)
                yield piece
                while not unpacker.eof and (rest := _more(unpacker)):
                    yield rest
            except (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as exc:
                raise DiskError(f"it is damaged: {exc}") from exc
            data = b""
            if unpacker.eof:
                # Streams may follow one another; zeros behind them are padding.
                data = unpacker.unused_data
                unpacker = None
                if not data.strip(b"\0"):
                    data = b""
    if unpacker is not None:
        raise DiskError("it is not whole: its end is missing")


def _more(unpacker: Any) -> bytes:  # noqa: ANN401  # four libraries' own
    if isinstance(unpacker, _Gzip):
        return unpacker.more()
    if unpacker.needs_input:
        return b""
    rest: bytes = unpacker.decompress(b"", _CHUNK_BYTES)
    return rest


class _Gzip:
    """What zlib has, with the manners of the others."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(_GZIP_OR_ZLIB_WINDOW)

    @property
    def eof(self) -> bool:
        return self._unpacker.eof

    @property
    def unused_data(self) -> bytes:
        return self._unpacker.unused_data

    def decompress(self, data: bytes, most: int) -> bytes:
        return self._unpacker.decompress(data, most)

    def more(self) -> bytes:
        return self._unpacker.decompress(self._unpacker.unconsumed_tail, _CHUNK_BYTES)


def _unpacker(compression: str) -> Any:  # noqa: ANN401  # four libraries' own
    if compression == "gz":
        return _Gzip()
    if compression == "bz2":
        return bz2.BZ2Decompressor()
    if compression == "xz":
        return lzma.LZMADecompressor()
    return _Zstd()


class _Zstd:
    """What the library has, but errors of a kind that others have too."""

    def __init__(self) -> None:
        for name in ("compression.zstd", "backports.zstd"):
            try:
                self._module = importlib.import_module(name)
                break
            except ImportError:
                continue
        else:
            raise DiskError(
                "zstd needs the package backports.zstd", hint="pip install backports.zstd"
            )
        self._unpacker = self._module.ZstdDecompressor()

    @property
    def eof(self) -> bool:
        return bool(self._unpacker.eof)

    @property
    def needs_input(self) -> bool:
        return bool(self._unpacker.needs_input)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._unpacker.unused_data)

    def decompress(self, data: bytes, most: int) -> bytes:
        try:
            return bytes(self._unpacker.decompress(data, most))
        except self._module.ZstdError as exc:
            raise ValueError(str(exc)) from exc


def unpack_zstd(data: bytes, most: int) -> bytes:
    """Return up to so many bytes of what is in a frame; what is behind it does not matter.

    Raises:
        DiskError: zstd is not installed.
        ValueError: It is damaged.
    """
    return _Zstd().decompress(data, most)


def unpack(fd: int, compression: str, folder: str | None = None) -> FileSource:
    """Unpack a file into one without a name.

    Args:
        fd: The file, from where it stands.
        compression: How it is compressed.
        folder: On which file system; that for temporary files if None.

    Raises:
        DiskError: It is damaged, or larger than any disk.
        OSError: There is no room.
    """
    folder_fd = os.open(
        folder or tempfile.gettempdir(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    )
    try:
        spool = open_spool(folder_fd)
    finally:
        os.close(folder_fd)
    try:
        size = 0
        for piece in unpacked(fd, compression):
            view = memoryview(piece)
            for at in range(0, len(view), _GRAIN_BYTES):
                grain = view[at : at + _GRAIN_BYTES]
                if grain == _ZEROS[: len(grain)]:
                    os.lseek(spool, len(grain), os.SEEK_CUR)
                else:
                    write_all(spool, grain)
            size += len(view)
            if size > _MOST_BYTES:
                raise DiskError("it unpacks to more than any disk has")
        os.ftruncate(spool, size)
    except BaseException:
        os.close(spool)
        raise
    return FileSource(spool)
