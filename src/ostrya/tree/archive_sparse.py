# SPDX-License-Identifier: Apache-2.0
"""Sparse files in tar archives: a map of where their data belongs, and zeros between.

Four kinds of GNU tar's, which differ in where the map, pairs of offset and length, stands::

    old GNU   4 pairs in the header of type S, 21 more in each block that may follow it
    pax 0.0   a pair of records in the extended header for each pair
    pax 0.1   one record, GNU.sparse.map: numbers with commas between
    pax 1.0   lines in front of the data: how many pairs, then each number, padded to a block

tarfile reads as much of a map as there is. Here its size is bounded, and the time to expand it.

Source: GNU tar manual, "Storing Sparse Files"; tar.h of GNU tar.
"""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_PIECES = 1 << 18
_PAIRS_OF_BLOCK = 21
_PAIR_BYTES = 24
_CHUNK_BYTES = 1 << 20
# As many as a number of 64 bits can have.
_MAX_DIGITS = 20

Piece = tuple[int, int]


def read_blocks_of_map(read: Callable[[int], bytes]) -> Iterator[Piece]:
    """Yield the pairs in the blocks behind an old GNU header that says there are some.

    Raises:
        tarfile.ReadError: The archive ends, or there are too many.
    """
    for _ in range(MAX_PIECES // _PAIRS_OF_BLOCK):
        block = _read_block(read)
        for at in range(0, _PAIRS_OF_BLOCK * _PAIR_BYTES, _PAIR_BYTES):
            yield _binary(block[at : at + 12]), _binary(block[at + 12 : at + 24])
        if not block[504]:
            return
    raise _too_many()


def read_lines_of_map(read: Callable[[int], bytes]) -> list[Piece]:
    """Read the map of pax 1.0 in front of the data.

    Raises:
        tarfile.ReadError: It is not one, the archive ends, or there are too many pairs.
    """
    lines = _lines(read)
    count = _number(next(lines))
    if count > MAX_PIECES:
        raise _too_many()
    return [(_number(next(lines)), _number(next(lines))) for _ in range(count)]


def parse_map(text: str) -> list[Piece]:
    """Read the map of pax 0.1 out of its record.

    Raises:
        tarfile.ReadError: It is not one, or there are too many pairs.
    """
    if text.count(",") >= 2 * MAX_PIECES:
        raise _too_many()
    numbers = [_number(word) for word in text.split(",")]
    if len(numbers) % 2:
        raise _not_a_map()
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def expand(
    pieces: Sequence[Piece], size: int, stored: int, read: Callable[[int], bytes]
) -> Iterator[bytes]:
    """Yield the content of a sparse file.

    Args:
        pieces: Its map.
        size: Bytes of the content.
        stored: Bytes of data that there are at most.
        read: Gives the data, in the order of the map; fewer bytes at the end of the archive.

    Raises:
        tarfile.ReadError: The map does not fit, or the archive ends.
    """
    at = 0
    for offset, length in pieces:
        if not length:
            # Unused pairs of a header, and one that only says where the file ends.
            continue
        stored -= length
        if length < 0 or offset < at or offset + length > size or stored < 0:
            raise _not_a_map()
        yield from _zeros(offset - at)
        at = offset + length
        while length:
            data = read(min(length, _CHUNK_BYTES))
            if not data:
                raise tarfile.ReadError("unexpected end of data")
            length -= len(data)  # noqa: PLW2901  # what is left of it
            yield data
    yield from _zeros(size - at)


def _zeros(count: int) -> Iterator[bytes]:
    zeros = bytes(min(count, _CHUNK_BYTES))
    while count > len(zeros):
        yield zeros
        count -= len(zeros)
    if count:
        yield zeros[:count]


def _lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    rest = b""
    while len(rest) <= _MAX_DIGITS:
        *lines, rest = (rest + _read_block(read)).split(b"\n")
        yield from lines
    raise _not_a_map()


def _read_block(read: Callable[[int], bytes]) -> bytes:
    block = read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("unexpected end of data")
    return block


def _number(text: bytes | str) -> int:
    if len(text) > _MAX_DIGITS or not text.isascii() or not text.isdigit():
        raise _not_a_map()
    return int(text)


def _binary(field: bytes) -> int:
    number: int = tarfile.nti(field)  # type: ignore[attr-defined]  # not in the stubs
    return number


def _not_a_map() -> tarfile.ReadError:
    return tarfile.ReadError("the map of a sparse file is damaged")


def _too_many() -> tarfile.ReadError:
    return tarfile.ReadError(f"the map of a sparse file has more than {MAX_PIECES:,} pieces")
