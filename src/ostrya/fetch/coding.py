# SPDX-License-Identifier: Apache-2.0
"""Bodies that were compressed for the journey, inflated within limits. Pure."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ACCEPTED = "gzip, deflate"
_KNOWN = frozenset({"gzip", "x-gzip", "deflate"})
_EITHER_HEADER = 32 + zlib.MAX_WBITS
_PIECE = 64 * 1024
_SLACK_BYTES = 1024


def is_known(encoding: str) -> bool:
    """Say whether ``inflate`` understands a ``Content-Encoding``."""
    return encoding in _KNOWN


def longest_coded(max_bytes: int) -> int:
    """Return how long a coded body may be whose content may have ``max_bytes``.

    Data that no method makes shorter grows a little.
    """
    return max_bytes + max_bytes // 1000 + _SLACK_BYTES


def inflate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Inflate gzip or zlib data piece by piece, none longer than 64 KiB.

    Raises:
        ValueError: It is neither, damaged, or cut short.
    """
    stream = zlib.decompressobj(_EITHER_HEADER)
    for chunk in chunks:
        rest = chunk
        while rest:
            if stream.eof:
                # Members of gzip may follow one another.
                stream = zlib.decompressobj(_EITHER_HEADER)
            try:
                piece = stream.decompress(rest, _PIECE)
            except zlib.error as exc:
                raise ValueError(str(exc)) from exc
            if piece:
                yield piece
            rest = stream.unused_data if stream.eof else stream.unconsumed_tail
            if not rest and len(piece) == _PIECE:
                yield from _held_back(stream)
    if not stream.eof:
        raise ValueError("the compressed body is cut short")


def _held_back(stream: zlib._Decompress) -> Iterator[bytes]:
    """Yield what a stream still holds though it has taken all of its input."""
    while not stream.eof and (piece := stream.decompress(b"", _PIECE)):
        yield piece
