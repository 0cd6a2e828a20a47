# SPDX-License-Identifier: Apache-2.0
"""Compression on all processors: the same bytes on any number of them.

What comes in is cut into pieces of one size, and each is packed by itself; what comes out is one
stream for whoever unpacks it::

    gz     one member: pieces end at a byte, and begin with the window of the one before
    bz2    a stream for each piece
    xz     a stream for each piece, with a dictionary of 4 MiB
    zst    a frame for each piece

Headers name no file and no time. A piece of nothing but zeros, of which disks are full, is packed
once. Libraries pack without Python's lock, so threads do.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya.boot.initramfs.compress import load_zstd
from ostrya.image.outputs.sinks import is_zero, zeros
from ostrya.workers import default_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from ostrya.image.outputs.sinks import Sink

_MIB = 1 << 20
# Raw deflate; a header and an end of our own go around it.
_GZIP_WINDOW, _GZIP_LEVEL = -15, 6
_WINDOW_BYTES = 32 << 10
# No name, no time; level 6 says nothing; written on Unix.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
# As Yocto has it: half the time of the usual preset, and hardly larger.
_XZ_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 3, "dict_size": 4 * _MIB}]
_ZSTD_LEVEL = 12
# Memory is bounded by pieces and packers at work at once.
_MOST_JOBS = 4


@contextmanager
def packed(sink: Sink, compression: str) -> Iterator[Sink]:
    """Yield a sink whose bytes come compressed to another one; that one itself without any.

    Args:
        sink: Where they come to.
        compression: ``gz``, ``bz2``, ``xz``, ``zst``, or empty.

    Raises:
        BootloaderError: zstd is not installed.
    """
    if not compression:
        yield sink
        return
    with ThreadPoolExecutor(min(_MOST_JOBS, default_jobs())) as pool:
        packer = _Packer(sink, compression, pool)
        yield packer
        packer.end()


class _Packer:
    """Cuts into pieces, and writes what becomes of them in their order."""

    def __init__(self, sink: Sink, compression: str, pool: ThreadPoolExecutor) -> None:
        self._sink = sink
        self._is_gzip = compression == "gz"
        self._pack, self._piece_bytes = _packers()[compression]
        self._pool = pool
        self._buffer = bytearray()
        self._pending: deque[Future[bytes]] = deque()
        self._most_pending = pool._max_workers + 2  # noqa: SLF001  # what it was made with
        self._of_zeros: dict[bytes, Future[bytes]] = {}
        self._window = b""
        self._crc = self._size = 0
        if self._is_gzip:
            sink.write(_GZIP_HEADER)

    def write(self, data: bytes | memoryview, /) -> None:
        rest = memoryview(data)
        while rest:
            room = self._piece_bytes - len(self._buffer)
            self._buffer += rest[:room]
            rest = rest[room:]
            if len(self._buffer) == self._piece_bytes:
                self._send()

    def skip(self, count: int, /) -> None:
        for piece in zeros(count):
            self.write(piece)

    def end(self) -> None:
        """Pack what is left."""
        if self._buffer or not self._size:
            self._send()
        self._drain(0)
        if self._is_gzip:
            # An empty last block ends it.
            tail = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW).flush()
            self._sink.write(tail + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))

    def _send(self) -> None:
        piece = bytes(self._buffer)
        self._buffer.clear()
        self._size += len(piece)
        window = self._window
        if self._is_gzip:
            self._crc = zlib.crc32(piece, self._crc)
            self._window = piece[-_WINDOW_BYTES:]
        if len(piece) == self._piece_bytes and all(
            is_zero(memoryview(piece)[at : at + _MIB]) for at in range(0, len(piece), _MIB)
        ):
            future = self._of_zeros.get(window)
            if future is None:
                future = self._pool.submit(self._pack, piece, window)
                # Behind zeros come zeros; what else was before a first one is not met again.
                if not window.strip(b"\0"):
                    self._of_zeros[window] = future
        else:
            future = self._pool.submit(self._pack, piece, window)
        self._pending.append(future)
        self._drain(self._most_pending)

    def _drain(self, most: int) -> None:
        while len(self._pending) > most:
            self._sink.write(self._pending.popleft().result())


def _packers() -> dict[str, tuple[Callable[[bytes, bytes], bytes], int]]:
    """What packs a piece, given the window before it, and how large pieces are."""
    return {
        "gz": (_gzip, _MIB),
        "bz2": (_bzip2, 900_000),
        "xz": (_xz, 8 * _MIB),
        "zst": (_zstd, 4 * _MIB),
    }


def _gzip(piece: bytes, window: bytes) -> bytes:
    packer = (
        zlib.compressobj(
            _GZIP_LEVEL,
            zlib.DEFLATED,
            _GZIP_WINDOW,
            zlib.DEF_MEM_LEVEL,
            zlib.Z_DEFAULT_STRATEGY,
            window,
        )
        if window
        else zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    )
    return packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)


def _bzip2(piece: bytes, _window: bytes) -> bytes:
    return bz2.compress(piece)


def _xz(piece: bytes, _window: bytes) -> bytes:
    return lzma.compress(piece, lzma.FORMAT_XZ, lzma.CHECK_CRC64, filters=_XZ_FILTERS)


def _zstd(piece: bytes, _window: bytes) -> bytes:
    zstd = load_zstd()
    parameter = zstd.CompressionParameter
    packer = zstd.ZstdCompressor(
        options={parameter.compression_level: _ZSTD_LEVEL, parameter.checksum_flag: 1}
    )
    done: bytes = packer.compress(piece) + packer.flush()
    return done
