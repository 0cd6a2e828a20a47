# SPDX-License-Identifier: Apache-2.0
"""Mode ``archive-z2``: header and raw deflate in one file, for serving over HTTP.

::

    objects/ab/cdef….filez     u32be header length, four zero bytes, header, raw deflate stream
"""

from __future__ import annotations

import os
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, cast

from ostrya._linux.atomic import write_all
from ostrya._linux.dirfd import OPEN_FILE
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.file_header import PREFIX_SIZE, FileHeader, parse_prefix
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.errors import ObjectInvalid
from ostrya.repo.stores.base import CHUNK_BYTES, WHOLE_BYTES, FileObject
from ostrya.workers import default_jobs

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.stores.base import Destination

_MODE = 0o644
_FIRST_READ_BYTES = 64 * 1024
# Deflate cannot expand further than this; a header that claims more is lying.
_MAX_EXPANSION = 1032
_EXPANSION_SLACK = 64
_RAW_DEFLATE = -15
_MEM_LEVEL = 8
_WINDOW_BYTES = 32 * 1024
# libdeflate's level 5 is smaller than zlib's 6 already, and a good deal faster than its own 6.
_LIBDEFLATE_LEVELS = {6: 5}


class ArchiveFile(FileObject):
    """A content object of an archive: inflated as it is read."""

    __slots__ = ("_checksum", "_head", "_offset")

    def __init__(  # noqa: PLR0913, PLR0917  # one caller
        self,
        checksum: Checksum,
        header: FileHeader,
        size: int,
        stored_size: int,
        fd: int,
        offset: int,
        head: bytes,
    ) -> None:
        super().__init__(header, size, stored_size, fd)
        self._checksum = checksum
        self._offset = offset
        self._head = head

    @property
    def is_plain(self) -> bool:
        """Whether ``content_fd`` is a file that holds the content as it is."""
        return False

    def read(self) -> bytes:
        """Return the whole content.

        Raises:
            ObjectInvalid: It is damaged, or of another size than the header says.
        """
        if self.size > WHOLE_BYTES or self._is_padded:
            return b"".join(self._inflated())
        if len(self._head) == self.stored_size:
            packed = memoryview(self._head)[self._offset :]
        else:
            packed = memoryview(
                os.pread(self.content_fd, self.stored_size - self._offset, self._offset)
            )
        try:
            return inflate(packed, self.size)
        except ObjectFormatError as exc:
            raise self._invalid(exc) from exc

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in pieces of bounded size.

        Raises:
            ObjectInvalid: It is damaged, or of another size than the header says.
        """
        if self.size > WHOLE_BYTES or self._is_padded:
            yield from self._inflated()
        elif data := self.read():
            yield data

    @property
    def _is_padded(self) -> bool:
        """Whether the file is far larger than its content can be when compressed."""
        return self.stored_size - self._offset > self.size + self.size // 64 + _FIRST_READ_BYTES

    def _inflated(self) -> Iterator[bytes]:
        try:
            yield from inflate_chunks(self._packed_chunks(), self.size)
        except ObjectFormatError as exc:
            raise self._invalid(exc) from exc

    def _invalid(self, error: ObjectFormatError) -> ObjectInvalid:
        return ObjectInvalid(ObjectName(self._checksum, ObjectType.FILE), error.message)

    def _packed_chunks(self) -> Iterator[bytes]:
        offset = self._offset
        if self.content_fd == -1:
            yield self._head[offset:]
            return
        while data := os.pread(self.content_fd, CHUNK_BYTES, offset):
            offset += len(data)
            yield data


def inflate(packed: bytes | memoryview, size: int) -> bytes:
    """Inflate a raw deflate stream that is known to hold ``size`` bytes.

    Raises:
        ObjectFormatError: It is damaged, or holds another number of bytes.
    """
    if size > len(packed) * _MAX_EXPANSION + _EXPANSION_SLACK:
        raise ObjectFormatError(f"compressed content cannot hold {size} bytes")
    if not size:
        # deflate does not look at the stream then; an empty file has one all the same.
        return b"".join(inflate_chunks([bytes(packed)], size))
    try:
        import deflate
    except ImportError:
        return b"".join(inflate_chunks([bytes(packed)], size))
    try:
        data = cast("bytes", deflate.deflate_decompress(packed, size))
    except deflate.DeflateError:
        raise ObjectFormatError("compressed content is damaged") from None
    if len(data) != size:
        raise ObjectFormatError(f"content holds {len(data)} bytes instead of {size}")
    return data


def inflate_chunks(packed: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Inflate a raw deflate stream piece by piece; what follows its end is left alone.

    Raises:
        ObjectFormatError: It is damaged or cut short, or holds another number of bytes.
    """
    inflater = _new_inflater()
    total = 0
    for piece in packed:
        rest = piece
        more = True
        # Content may be left when all input is taken: a few bits can stand for kilobytes.
        while (rest or more) and not inflater.eof:
            try:
                data = inflater.decompress(rest, CHUNK_BYTES)
            except Exception as exc:
                # isal and zlib raise errors of their own, without a common base.
                raise ObjectFormatError("compressed content is damaged") from exc
            rest = inflater.unconsumed_tail
            more = len(data) == CHUNK_BYTES
            total += len(data)
            if total > size:
                raise ObjectFormatError(f"content holds more than {size} bytes")
            if data:
                yield data
    if total != size:
        raise ObjectFormatError(f"content holds {total} bytes instead of {size}")
    if not inflater.eof:
        raise ObjectFormatError("compressed content is cut short")


def _new_inflater() -> zlib._Decompress:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.decompressobj(_RAW_DEFLATE)
    return cast("zlib._Decompress", isal_zlib.decompressobj(_RAW_DEFLATE))  # noqa: SLF001  # a type


def compress(data: bytes | memoryview, level: int, *, as_zlib: bool = False) -> bytes | bytearray:
    """Deflate in one go, with no header or trailer.

    Args:
        data: What to deflate.
        level: As zlib understands it; the result is never larger by more than a hair.
        as_zlib: The very bytes that zlib makes of it.
    """
    try:
        if as_zlib:
            return b"".join(_zlib_chunks((data,), level))
        import deflate
    except ImportError:
        return b"".join(_zlib_chunks((data,), level))
    packed: bytearray = deflate.deflate_compress(data, _LIBDEFLATE_LEVELS.get(level, level))
    return packed


def pack_chunks(
    chunks: Iterable[bytes], level: int, *, as_zlib: bool
) -> Generator[bytes, None, None]:
    """Deflate large content piece by piece, on all cores if zlib's own bytes are not asked for."""
    return (_zlib_chunks if as_zlib else _compress_chunks)(chunks, level)


class ArchiveStore:
    """Stores content the way mode ``archive-z2`` does."""

    __slots__ = ("_as_zlib", "_level")

    def __init__(self, zlib_level: int, *, as_zlib: bool = False) -> None:
        """Prepare to store.

        Args:
            zlib_level: How hard to compress.
            as_zlib: Whether files take the very bytes that libostree, which asks zlib, makes them
                take: for commits that say how large their objects are.
        """
        self._level = zlib_level
        self._as_zlib = as_zlib

    def path_of(self, checksum: Checksum) -> str:
        """Return the loose path of a content object."""
        return f"{checksum[:2]}/{checksum[2:]}.filez"

    def load(self, dir_fd: int, path: str, checksum: Checksum) -> FileObject:
        """Open a content object."""
        fd = os.open(path, OPEN_FILE, dir_fd=dir_fd)
        try:
            return _load(fd, checksum)
        except BaseException:
            os.close(fd)
            raise

    def put(
        self,
        destination: Destination,
        checksum: Checksum,
        header: FileHeader,
        data: bytes | memoryview,
    ) -> int | None:
        """Store a regular file held in memory."""
        prefix = header.encode_archive(len(data))
        packed = compress(data, self._level, as_zlib=self._as_zlib)
        with destination.begin(self.path_of(checksum)) as tmp:
            written = os.writev(tmp.fd, (prefix, packed))
            stored_size = len(prefix) + len(packed)
            if written != stored_size:
                write_all(tmp.fd, memoryview(prefix + packed)[written:])
            os.fchmod(tmp.fd, _MODE)
            is_new = destination.publish(tmp, self.path_of(checksum), stored_size)
        return stored_size if is_new else None

    def put_chunks(
        self,
        destination: Destination,
        checksum: Checksum,
        header: FileHeader,
        size: int,
        chunks: Iterable[bytes],
    ) -> int | None:
        """Store a regular file that comes in pieces."""
        prefix = header.encode_archive(size)
        with destination.begin(self.path_of(checksum)) as tmp:
            write_all(tmp.fd, prefix)
            # Closed here: left to the collector, what ends it early would be reported as ignored.
            with closing(pack_chunks(chunks, self._level, as_zlib=self._as_zlib)) as packed:
                stored_size = len(prefix) + destination.write_chunks(tmp, packed)
            os.fchmod(tmp.fd, _MODE)
            is_new = destination.publish(tmp, self.path_of(checksum))
        return stored_size if is_new else None

    def put_symlink(
        self, destination: Destination, checksum: Checksum, header: FileHeader
    ) -> int | None:
        """Store a symbolic link: a header and nothing else."""
        prefix = header.encode_archive(0)
        with destination.begin(self.path_of(checksum)) as tmp:
            write_all(tmp.fd, prefix)
            os.fchmod(tmp.fd, _MODE)
            is_new = destination.publish(tmp, self.path_of(checksum))
        return len(prefix) if is_new else None


def _zlib_chunks(chunks: Iterable[bytes | memoryview], level: int) -> Generator[bytes, None, None]:
    deflater = zlib.compressobj(level, zlib.DEFLATED, _RAW_DEFLATE)
    for chunk in chunks:
        yield deflater.compress(chunk)
    yield deflater.flush()


def _compress_chunks(chunks: Iterable[bytes], level: int) -> Generator[bytes, None, None]:
    """Deflate large content on all cores: blocks of it, each knowing the end of the one before.

    Every block but the last ends on a byte border, so that the blocks in a row are one stream.
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    jobs = default_jobs()
    with ThreadPoolExecutor(jobs) as pool:
        pending: list[Future[bytes]] = []
        window = b""
        for chunk in chunks:
            pending.append(pool.submit(_deflate_block, chunk, window, level))
            window = chunk[-_WINDOW_BYTES:]
            if len(pending) > jobs + 1:
                yield pending.pop(0).result()
        for future in pending:
            yield future.result()
    yield zlib.compressobj(level, zlib.DEFLATED, _RAW_DEFLATE).flush()


def _deflate_block(chunk: bytes, window: bytes, level: int) -> bytes:
    if window:
        deflater = zlib.compressobj(
            level, zlib.DEFLATED, _RAW_DEFLATE, _MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY, window
        )
    else:
        deflater = zlib.compressobj(level, zlib.DEFLATED, _RAW_DEFLATE, _MEM_LEVEL)
    return deflater.compress(chunk) + deflater.flush(zlib.Z_SYNC_FLUSH)


def _load(fd: int, checksum: Checksum) -> FileObject:
    head = os.read(fd, _FIRST_READ_BYTES)
    stored_size = len(head) if len(head) < _FIRST_READ_BYTES else os.fstat(fd).st_size
    return _open(checksum, head, stored_size, fd)


def open_archive_body(checksum: Checksum, body: bytes, fd: int) -> FileObject:
    """Open a content object as an archive serves it.

    Args:
        checksum: Its name; for messages.
        body: All of it, where ``fd`` is -1.
        fd: Else a file that holds it, closed with what is returned.

    Raises:
        ObjectFormatError: It is not one.
    """
    if fd == -1:
        loaded = _open(checksum, body, len(body), -1)
    else:
        try:
            head = os.pread(fd, _FIRST_READ_BYTES, 0)
            loaded = _open(checksum, head, os.fstat(fd).st_size, fd)
        except BaseException:
            os.close(fd)
            raise
    if loaded.size > loaded.stored_size * _MAX_EXPANSION + _EXPANSION_SLACK:
        # Said here, before room is sought for it.
        loaded.close()
        raise ObjectFormatError(f"compressed content cannot hold {loaded.size} bytes")
    return loaded


def _open(checksum: Checksum, head: bytes, stored_size: int, fd: int) -> FileObject:
    offset = PREFIX_SIZE + parse_prefix(head[:PREFIX_SIZE])
    if offset > stored_size:
        raise ObjectFormatError("content object ends within its header")
    encoded = head[PREFIX_SIZE:offset]
    if offset > len(head):
        encoded = os.pread(fd, offset - PREFIX_SIZE, PREFIX_SIZE)
    header, size = _decode_header(encoded)
    if header.is_symlink:
        if fd != -1:
            os.close(fd)
        return FileObject(header, 0, stored_size)
    return ArchiveFile(checksum, header, size, stored_size, fd, offset, head)


_headers: dict[bytes, FileHeader] = {}


def _decode_header(encoded: bytes) -> tuple[FileHeader, int]:
    """Decode a header, remembering those seen: thousands of files share a few, but for sizes."""
    key = encoded[8:]
    known = _headers.get(key)
    if known is not None:
        return known, int.from_bytes(encoded[:8], "big")
    header, size = FileHeader.decode_archive(encoded)
    if len(_headers) < 1024 and len(key) < 256:
        _headers[key] = header
    return header, size
