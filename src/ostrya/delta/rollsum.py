# SPDX-License-Identifier: Apache-2.0
"""What two files have in common: ranges of the one that stand in the other, byte by byte.

Both are cut where their content says so: after rows of NUL and newline, in pieces of 32 to 512
bytes. So an insertion moves the cuts of what follows with it, and the pieces after it are found
again. A piece that both have is then extended to both sides, as far as the bytes are equal.

Where memory is short, only every second piece of the old file is known, or fewer: then what both
have is found only where it is longer.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = re.compile(rb"(?s).{32}[^\x00\n]{0,480}[\x00\n]*|.+")
# A row of the same few bytes is cut as one piece; it must not be a needle that is everywhere.
_MAX_SPREAD = 64 * 1024
_STEP_BYTES = 4096
# What a known piece takes beside its bytes: two objects, and its share of a table that has room.
_PLACE_BYTES = 200


class CommonRange(NamedTuple):
    """Bytes of the new file that the old one has as well.

    Attributes:
        new_at: Where they are in the new file.
        old_at: Where they are in the old one.
        size: How many.
    """

    new_at: int
    old_at: int
    size: int


def find_common_ranges(
    old: memoryview, new: memoryview, *, min_size: int = 32, index_bytes: int = 1 << 30
) -> list[CommonRange]:
    """Find ranges that both have, in the order of the new file, none overlapping another.

    Args:
        old: What is there.
        new: What shall be there.
        min_size: Shorter ranges are left out.
        index_bytes: How much memory the search may take beside both, roughly.
    """
    places = _index(old, index_bytes)
    found: list[CommonRange] = []
    done = 0
    for start, piece in _pieces(new):
        if start < done:
            continue
        place = _continued(found, old, start, piece)
        if place is None:
            place = places.get(piece)
        if place is None:
            continue
        before = _equal_before(old, new, place, start, start - done)
        after = _equal_after(old, new, place + len(piece), start + len(piece))
        size = before + len(piece) + after
        if size >= min_size:
            found.append(CommonRange(start - before, place - before, size))
            done = start + len(piece) + after
    return found


def _index(old: memoryview, most_bytes: int) -> dict[bytes, int]:
    """Say where the pieces of the old file are; of as many as there is memory for."""
    places: dict[bytes, int] = {}
    taken = 0
    step = 1
    for number, (start, piece) in enumerate(_pieces(old)):
        if number % step or piece in places:
            continue
        places[piece] = start
        taken += len(piece) + _PLACE_BYTES
        if taken > most_bytes and len(places) > 1:
            step *= 2
            places = dict(islice(places.items(), 0, None, 2))
            taken = sum(map(len, places)) + len(places) * _PLACE_BYTES
    return places


def _continued(found: list[CommonRange], old: memoryview, start: int, piece: bytes) -> int | None:
    """Prefer the distance of the range before, where it fits: it costs less to say."""
    if not found:
        return None
    place = found[-1].old_at + start - found[-1].new_at
    return place if old[place : place + len(piece)] == piece else None


def _pieces(data: memoryview) -> Iterator[tuple[int, bytes]]:
    for match in _PIECE.finditer(data):
        if match.end() - match.start() <= _MAX_SPREAD:
            yield match.start(), match.group()


def _equal_after(old: memoryview, new: memoryview, old_at: int, new_at: int) -> int:
    most = min(len(old) - old_at, len(new) - new_at)
    done = 0
    step = _STEP_BYTES
    while done < most:
        size = min(step, most - done)
        if old[old_at + done : old_at + done + size] == new[new_at + done : new_at + done + size]:
            done += size
            step *= 2
        elif size == 1:
            break
        else:
            step = size // 2
            most = done + size
    return done


def _equal_before(old: memoryview, new: memoryview, old_at: int, new_at: int, most: int) -> int:
    most = min(most, old_at)
    done = 0
    while done < most and old[old_at - done - 1] == new[new_at - done - 1]:
        done += 1
    return done
