# SPDX-License-Identifier: Apache-2.0
"""Write a part: its data into a file without a name, and in the end all of it, compressed.

Memory stays bounded however much data there are: only the tables and operations are held.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import zlib
from typing import TYPE_CHECKING

from ostrya._linux.atomic import open_spool, write_all
from ostrya.delta.plan import choose_dictionary
from ostrya.formats.checksum import Checksum, to_raw
from ostrya.formats.delta_operations import (
    Close,
    Open,
    Operation,
    Patch,
    SetReadSource,
    SpliceFile,
    SpliceMetadata,
    UnsetReadSource,
    Write,
    encode_operation,
)
from ostrya.formats.delta_part import COMPRESSION_XZ, FileMode, frame_part
from ostrya.formats.delta_superblock import encode_objects
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

    from ostrya.delta.plan import DeltaLimits
    from ostrya.delta.rollsum import CommonRange
    from ostrya.formats.file_header import FileHeader
    from ostrya.formats.object_name import ObjectName
    from ostrya.formats.xattrs import Xattrs

_CHUNK_BYTES = 1 << 20
# Patches are mostly rows of zeros: long matches found at once are worth more than many tries. Steps
# of 24 bytes and more stand between them, so nothing is aligned.
_THOROUGH = {"preset": 6, "nice_len": 192, "depth": 24, "pb": 0}
_SAMPLES = 16
_SAMPLE_BYTES = 32 * 1024
# From this share on, a part is what was compressed before: there is nothing to be found far away,
# and a window that fits the processor's cache is searched twice as fast.
_HARDLY_SHRINKS = 0.9
_SMALL_WINDOW = 256 * 1024


class WrittenPart(NamedTuple):
    """A finished part.

    Attributes:
        checksum: Of its file.
        size: Of its file.
        unpacked_size: Of the objects it makes.
        objects: These, as the header holds them.
        payload_size: Before compression.
        dictionary: Window of its xz stream.
        patched_file: The largest file that it makes by a patch.
    """

    checksum: Checksum
    size: int
    unpacked_size: int
    objects: bytes
    payload_size: int
    dictionary: int
    patched_file: int


class PartWriter:
    """A part that grows, object by object."""

    def __init__(self, spool_dir_fd: int) -> None:
        """Begin a part; its data are kept in a file without a name in this directory."""
        self._fd = open_spool(spool_dir_fd)
        self._data_size = 0
        self._operations = bytearray()
        self._modes: dict[FileMode, int] = {}
        self._xattrs: dict[Xattrs, int] = {}
        self._objects: list[ObjectName] = []
        self._unpacked_size = 0
        self._patched_file = 0

    def add_metadata(self, name: ObjectName, data: bytes) -> None:
        """Add a directory or its metadata."""
        self._begin(name, len(data))
        self._operate(SpliceMetadata(name, len(data), self._put((data,))))

    def add_whole(
        self, name: ObjectName, header: FileHeader, size: int, chunks: Iterable[bytes | memoryview]
    ) -> None:
        """Add a file or symbolic link as it is; ``size`` is that of its content, 0 for a link."""
        self._begin(name, size)
        if header.is_symlink:
            target = header.symlink_target.encode()
            chunks, size = (target,), len(target)
        mode, xattrs = self._tables(header)
        self._operate(SpliceFile(name, mode, xattrs, size, self._put(chunks)))

    def add_patch(
        self,
        name: ObjectName,
        header: FileHeader,
        size: int,
        source: Checksum,
        patch: bytes | memoryview,
    ) -> None:
        """Add a file by a patch of an old one."""
        self._begin(name, size)
        self._patched_file = max(self._patched_file, size)
        self._operate(SetReadSource(self._put((to_raw(source),))))
        self._operate(Open(name, *self._tables(header), size))
        self._operate(Patch(self._put((patch,)), len(patch)))
        self._operate(Close())

    def add_ranges(
        self,
        name: ObjectName,
        header: FileHeader,
        content: bytes | memoryview,
        source: Checksum,
        ranges: Iterable[CommonRange],
    ) -> None:
        """Add a file by ranges of an old one, and by what is between them."""
        self._begin(name, len(content))
        source_at = self._put((to_raw(source),))
        self._operate(Open(name, *self._tables(header), len(content)))
        done = 0
        reading = False
        for new_at, old_at, size in ranges:
            if new_at > done:
                reading = self._read_data(reading=reading)
                self._write_literal(content[done:new_at])
            if not reading:
                self._operate(SetReadSource(source_at))
                reading = True
            self._operate(Write(size, old_at))
            done = new_at + size
        if done < len(content):
            self._read_data(reading=reading)
            self._write_literal(content[done:])
        self._operate(Close())

    def _read_data(self, *, reading: bool) -> bool:
        if reading:
            self._operate(UnsetReadSource())
        return False

    def _write_literal(self, content: bytes | memoryview) -> None:
        self._operate(Write(len(content), self._put((content,))))

    def finish(
        self,
        out_fd: int,
        limits: DeltaLimits,
        encoder_bytes: int,
        on_packed: Callable[[float], None] | None = None,
    ) -> WrittenPart:
        """Write the file of the part.

        Args:
            out_fd: The file.
            limits: What the delta may hold.
            encoder_bytes: What compressing may take, roughly.
            on_packed: Told now and then the share that is compressed, from 0 to 1.
        """
        operations = bytes(self._operations)
        head, tail = frame_part(self._modes, self._xattrs, self._data_size, operations)
        payload_size = len(head) + self._data_size + len(tail)
        dictionary = choose_dictionary(payload_size, limits, encoder_bytes)
        if self._try_some() > _HARDLY_SHRINKS:
            dictionary = min(dictionary, _SMALL_WINDOW)
        filters = [{"id": lzma.FILTER_LZMA2, **_THOROUGH, "dict_size": dictionary}]
        compressor = lzma.LZMACompressor(lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=filters)
        hasher = hashlib.sha256()
        size = 0
        for taken, piece in enumerate(self._packed(compressor, head, tail)):
            write_all(out_fd, piece)
            hasher.update(piece)
            size += len(piece)
            if on_packed is not None:
                on_packed(min(1.0, taken * _CHUNK_BYTES / max(self._data_size, 1)))
        return WrittenPart(
            Checksum(hasher.hexdigest()),
            size,
            self._unpacked_size,
            encode_objects(self._objects),
            payload_size,
            dictionary,
            self._patched_file,
        )

    def _packed(self, compressor: lzma.LZMACompressor, head: bytes, tail: bytes) -> Iterator[bytes]:
        yield bytes([COMPRESSION_XZ])
        yield compressor.compress(head)
        for offset in range(0, self._data_size, _CHUNK_BYTES):
            yield compressor.compress(os.pread(self._fd, _CHUNK_BYTES, offset))
        yield compressor.compress(tail)
        yield compressor.flush()

    def _try_some(self) -> float:
        """Return what share some pieces of the data are shrunk to; 0 for what is soon done."""
        if self._data_size < _SAMPLES * _SAMPLE_BYTES:
            return 0.0
        step = self._data_size // _SAMPLES
        tried = shrunk = 0
        for number in range(_SAMPLES):
            sample = os.pread(self._fd, _SAMPLE_BYTES, number * step)
            tried += len(sample)
            shrunk += len(zlib.compress(sample, 1))
        return shrunk / tried

    def _begin(self, name: ObjectName, size: int) -> None:
        self._objects.append(name)
        self._unpacked_size += size

    def _operate(self, operation: Operation) -> None:
        self._operations += encode_operation(operation)

    def _put(self, chunks: Iterable[bytes | memoryview]) -> int:
        """Append data, and return where they begin."""
        start = self._data_size
        for chunk in chunks:
            write_all(self._fd, chunk)
            self._data_size += len(chunk)
        return start

    def _tables(self, header: FileHeader) -> tuple[int, int]:
        mode = FileMode(header.uid, header.gid, header.mode)
        return (
            self._modes.setdefault(mode, len(self._modes)),
            self._xattrs.setdefault(header.xattrs, len(self._xattrs)),
        )

    def close(self) -> None:
        """Let go of the data."""
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
