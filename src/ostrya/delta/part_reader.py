# SPDX-License-Identifier: Apache-2.0
"""Opening a part: its file is hashed, inflated up to a limit, and then read by places.

What is inflated lies in an unnamed file of the repository's ``tmp``; a small one stays in memory.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from lzma import FORMAT_XZ, LZMADecompressor, LZMAError
from typing import TYPE_CHECKING

from ostrya._linux.atomic import open_spool, write_all
from ostrya._linux.dirfd import read_chunks
from ostrya.delta.byte_source import CHUNK_BYTES, FileSource, MemorySource
from ostrya.delta.errors import PartMismatch
from ostrya.formats.delta_part import (
    COMPRESSION_NONE,
    COMPRESSION_XZ,
    MAX_DECODER_BYTES,
    TAIL_BYTES,
    FileMode,
    decode_modes,
    decode_xattr_sets,
    max_payload_bytes,
    part_places,
)
from ostrya.formats.errors import DeltaFormatError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

    from ostrya.delta.byte_source import ByteSource
    from ostrya.formats.delta_superblock import PartHeader

_IN_MEMORY_BYTES = 1 << 20
# At a time: between two times, another thread may be in the way.
_INFLATED_BYTES = 1 << 20
# A mapped body is dropped from memory after so much of it, a multiple of what is read at a time.
_LET_GO_BYTES = 2 << 20
# Tables and operations are held whole.
_MAX_TABLE_BYTES = 16 << 20
_MAX_OPERATION_BYTES = 64 << 20


class PartTables(NamedTuple):
    """What the operations of a part refer to, and they themselves.

    Attributes:
        modes: Owners and modes.
        xattrs: Sets of extended attributes, encoded.
        operations: Encoded.
        data_start: Where the data begins in the payload.
        data_size: How long it is.
    """

    modes: tuple[FileMode, ...]
    xattrs: tuple[bytes, ...]
    operations: bytes
    data_start: int
    data_size: int


class Payload:
    """The payload of a part, inflated; it is closed when it is no longer read.

    Attributes:
        source: Its bytes.
    """

    __slots__ = ("_fd", "source")

    def __init__(self, source: ByteSource, fd: int = -1) -> None:
        """Take it over, with the file that is closed in the end."""
        self.source = source
        self._fd = fd

    def tables(self) -> PartTables:
        """Read everything but the data.

        Raises:
            DeltaFormatError: It is no payload, or tables and operations are beyond all measure.
        """
        size = self.source.size
        tail = self._read(max(size - TAIL_BYTES, 0), size)
        places = part_places(size, tail)
        _require_size("modes", places.modes, _MAX_TABLE_BYTES)
        _require_size("xattrs", places.xattrs, _MAX_TABLE_BYTES)
        _require_size("operations", places.operations, _MAX_OPERATION_BYTES)
        start, stop = places.data
        return PartTables(
            modes=decode_modes(self._read(*places.modes)),
            xattrs=decode_xattr_sets(self._read(*places.xattrs)),
            operations=self._read(*places.operations),
            data_start=start,
            data_size=stop - start,
        )

    def _read(self, start: int, stop: int) -> bytes:
        pieces = []
        while start < stop:
            piece = self.source.read(start, stop - start)
            if not piece:
                raise DeltaFormatError("Invalid delta part: it is cut short")
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Give up what holds it."""
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _require_size(what: str, place: tuple[int, int], limit: int) -> None:
    if place[1] - place[0] > limit:
        raise DeltaFormatError(f"Invalid delta part: more than {limit >> 20} MiB of {what}")


def open_part_file(fd: int, header: PartHeader, spool_fd: int, *, checksum: bool = True) -> Payload:
    """Open the file of a part; the descriptor is closed with the payload, or here.

    Args:
        fd: The file.
        header: What the superblock says of it.
        spool_fd: The directory for what is inflated.
        checksum: Whether it has to be the file that the header names.

    Raises:
        PartMismatch: It is not.
        DeltaFormatError: It cannot be inflated within the limits.
    """
    try:
        first = os.pread(fd, 1, 0)
        if not first:
            raise DeltaFormatError("Invalid delta part: it is empty")
        chunks = read_chunks(fd, CHUNK_BYTES)
        if first[0] != COMPRESSION_NONE:
            return _inflate_file(first[0], chunks, header, spool_fd, checksum=checksum)
        if checksum:
            _check(header, _hashed(chunks))
        size = os.fstat(fd).st_size - 1
        _require_payload(size, header)
        payload, fd = Payload(FileSource(fd, 1, size), fd), -1
        return payload
    finally:
        if fd != -1:
            os.close(fd)


def open_inline_part(
    compression: int,
    body: memoryview | bytes,
    header: PartHeader,
    spool_fd: int,
    let_go: Callable[[], None] | None = None,
) -> Payload:
    """Open a part that its superblock carries; nothing but the superblock vouches for it.

    Args:
        compression: How it is compressed.
        body: What the superblock carries.
        header: What the superblock says of it.
        spool_fd: The directory for what is inflated.
        let_go: Called now and then: what was read of the body is not needed any more.

    Raises:
        DeltaFormatError: It cannot be inflated within the limits.
    """
    view = memoryview(body)
    if compression == COMPRESSION_NONE:
        _require_payload(len(view), header)
        return Payload(MemorySource(view))
    return _inflate(compression, _pieces(view, let_go), header, spool_fd)


def _pieces(view: memoryview, let_go: Callable[[], None] | None) -> Iterator[bytes]:
    for at in range(0, len(view), CHUNK_BYTES):
        yield bytes(view[at : at + CHUNK_BYTES])
        if let_go is not None and at % _LET_GO_BYTES == 0:
            let_go()


def _hashed(chunks: Iterable[bytes]) -> str:
    hasher = sha256()
    for chunk in chunks:
        hasher.update(chunk)
    return hasher.hexdigest()


def _check(header: PartHeader, actual: str) -> None:
    if actual != header.checksum:
        raise PartMismatch(header.checksum, actual)


def _inflate_file(
    compression: int,
    chunks: Iterator[bytes],
    header: PartHeader,
    spool_fd: int,
    *,
    checksum: bool,
) -> Payload:
    """Inflate a part while it is hashed, its first byte included."""
    hasher = sha256()

    def body() -> Iterator[bytes]:
        skip = 1
        for chunk in chunks:
            hasher.update(chunk)
            yield chunk[skip:]
            skip = 0

    pieces = body()
    try:
        payload = _inflate(compression, pieces, header, spool_fd)
    except DeltaFormatError:
        # That it is another file says more than what is wrong with that.
        for _ in pieces:
            pass
        if checksum:
            _check(header, hasher.hexdigest())
        raise
    if checksum:
        try:
            _check(header, hasher.hexdigest())
        except PartMismatch:
            payload.close()
            raise
    return payload


def _require_payload(size: int, header: PartHeader) -> None:
    if size > max_payload_bytes(header):
        raise DeltaFormatError(
            "Invalid delta part: it is far larger than anything that makes "
            f"{header.unpacked_size} bytes of objects"
        )


def _inflate(
    compression: int, chunks: Iterable[bytes], header: PartHeader, spool_fd: int
) -> Payload:
    if compression != COMPRESSION_XZ:
        raise DeltaFormatError(f"Invalid compression type '{compression}'")
    spool = _Spool(spool_fd)
    try:
        for piece in _inflated(chunks):
            _require_payload(spool.size + len(piece), header)
            spool.write(piece)
        return spool.finish()
    finally:
        spool.close()


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    try:
        decoder = LZMADecompressor(format=FORMAT_XZ, memlimit=MAX_DECODER_BYTES)
        for chunk in chunks:
            given = chunk
            while given or not (decoder.eof or decoder.needs_input):
                if decoder.eof:
                    raise DeltaFormatError("Invalid delta part: something follows its xz stream")
                yield decoder.decompress(given, _INFLATED_BYTES)
                given = b""
            if decoder.eof and decoder.unused_data:
                raise DeltaFormatError("Invalid delta part: something follows its xz stream")
    except LZMAError as exc:
        if "limit" in str(exc):
            raise DeltaFormatError(
                f"Invalid delta part: it takes more than {MAX_DECODER_BYTES >> 20} MiB to inflate"
            ) from exc
        raise DeltaFormatError(f"Invalid delta part: {exc}") from exc
    if not decoder.eof:
        raise DeltaFormatError("Invalid delta part: its xz stream is cut short")


class _Spool:
    """What is inflated: in memory while it is small, then in an unnamed file."""

    __slots__ = ("_buffer", "_dir_fd", "_fd", "size")

    def __init__(self, dir_fd: int) -> None:
        self._dir_fd = dir_fd
        self._fd = -1
        self._buffer = bytearray()
        self.size = 0

    def write(self, piece: bytes) -> None:
        self.size += len(piece)
        if self._fd == -1 and self.size > _IN_MEMORY_BYTES:
            self._fd = open_spool(self._dir_fd)
            write_all(self._fd, bytes(self._buffer))
            self._buffer.clear()
        if self._fd == -1:
            self._buffer += piece
        else:
            write_all(self._fd, piece)

    def finish(self) -> Payload:
        if self._fd == -1:
            return Payload(MemorySource(bytes(self._buffer)))
        fd, self._fd = self._fd, -1
        return Payload(FileSource(fd, 0, self.size), fd)

    def close(self) -> None:
        with suppress(OSError):
            if self._fd != -1:
                os.close(self._fd)
