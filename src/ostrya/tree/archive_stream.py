# SPDX-License-Identifier: Apache-2.0
"""The bytes of an archive: inflated if need be, read from front to back in exact amounts."""

from __future__ import annotations

import bz2
import importlib
import lzma
import zlib
from typing import IO, Any

from ostrya.tree.errors import ArchiveError

_CHUNK_BYTES = 1 << 20
# xz -9 needs 64 MiB; whoever asks for more wants our memory, not our attention.
_MAX_DICTIONARY_BYTES = 256 << 20


class ArchiveReader:
    """Reads exact amounts from a stream, and can look ahead."""

    def __init__(self, stream: IO[bytes] | InflatedStream) -> None:
        self._stream = stream
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them; fewer at the end."""
        while len(self._ahead) < size:
            more = self._stream.read(size - len(self._ahead))
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        """Return some of the next bytes, at most ``size``; none at the end."""
        if size < 0:
            size = _CHUNK_BYTES
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self._stream.read(size)

    def read_exactly(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            ArchiveError: There are fewer.
        """
        parts = []
        missing = size
        while missing:
            data = self.read(min(missing, _CHUNK_BYTES))
            if not data:
                raise ArchiveError("Truncated archive")
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)


def find_compression(head: bytes) -> str:
    """Tell by its first bytes how a stream is compressed; empty if it is not."""
    for magic, name in (
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x5d\0\0", "lzma"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
    ):
        if head.startswith(magic):
            return name
    return ""


class InflatedStream:
    """A compressed stream, inflated as it is read; concatenated streams count as one."""

    def __init__(self, source: ArchiveReader, *, max_bytes: int | None = None) -> None:
        """Read a stream; more than ``max_bytes`` of it are refused."""
        self._source = source
        self._max_bytes = max_bytes
        self._count = 0
        self._kind = find_compression(source.peek(6))
        self._inflate = self._new()
        self._rest = b""
        self._at_end = False

    @property
    def _error(self) -> type[Exception]:
        """What this kind of compression raises for damaged data, besides the usual."""
        return _load_zstd().ZstdError if self._kind == "zstd" else EOFError

    def _new(self) -> _Inflater:
        if self._kind == "gzip":
            return _Gunzip()
        if self._kind == "bzip2":
            return bz2.BZ2Decompressor()
        if self._kind == "zstd":
            return _new_zstd()
        return lzma.LZMADecompressor(memlimit=_MAX_DICTIONARY_BYTES)

    def read(self, size: int) -> bytes:
        """Return some of the next inflated bytes, at most ``size``; none at the end.

        Raises:
            ArchiveError: The stream is damaged, ends too early, or is too large.
        """
        while not self._at_end:
            if self._inflate.eof:
                self._rest = self._inflate.unused_data or self._source.read(_CHUNK_BYTES)
                # Padding behind the last stream is not a stream.
                if not self._rest.strip(b"\0") or not find_compression(self._rest):
                    self._at_end = True
                    break
                self._inflate = self._new()
            elif not self._rest and self._inflate.needs_input:
                self._rest = self._source.read(_CHUNK_BYTES)
                if not self._rest:
                    raise ArchiveError("Truncated archive")
            try:
                data = self._inflate.decompress(self._rest, size)
            except (OSError, ValueError, zlib.error, lzma.LZMAError, self._error) as exc:
                raise ArchiveError(f"Damaged {self._kind} data in archive: {exc}") from exc
            self._rest = b""
            if data:
                return self._counted(data)
        return b""

    def _counted(self, data: bytes) -> bytes:
        self._count += len(data)
        if self._max_bytes is not None and self._count > self._max_bytes:
            raise ArchiveError(
                f"the archive is larger than {self._max_bytes:,} bytes when it is inflated",
                hint="if it is what you think it is, allow more",
            )
        return data


class _Gunzip:
    """zlib's decompressor with the manners of bz2's."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inflater.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)


_Inflater = _Gunzip | bz2.BZ2Decompressor | lzma.LZMADecompressor


def _load_zstd() -> Any:  # noqa: ANN401  # a module, of one of two names
    try:
        return importlib.import_module("compression.zstd")
    except ImportError:
        pass
    try:
        return importlib.import_module("backports.zstd")
    except ImportError:
        raise ArchiveError(
            "Reading zstd archives needs the package backports.zstd",
            hint="pip install backports.zstd, or pipe through zstd -d",
        ) from None


def _new_zstd() -> _Inflater:
    inflater: _Inflater = _load_zstd().ZstdDecompressor()
    return inflater
