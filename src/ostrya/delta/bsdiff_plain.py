# SPDX-License-Identifier: Apache-2.0
"""The patches of ``bsdiff`` without the compiled search: slower, valid, somewhat larger.

What both files have in common is found as in ``rollsum``. Between two such ranges at the same
distance the bytes only differ in places, so the copy goes on through them; before and behind all
others it goes on as long as most bytes agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.delta.rollsum import find_common_ranges
from ostrya.formats.delta_operations import CONTROL_BYTES, PatchControl
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of bytes that differ within a copy and of literals, about this share is left by compression.
_LITERAL_SHARE = 0.7
_STEP_ESTIMATE = 8
_BLOCK_BYTES = 64
# Numbers of this length stay in the processor's cache.
_SUBTRACT_BYTES = 32 * 1024
_LEAST_EQUAL = _BLOCK_BYTES // 2


class _Copy(NamedTuple):
    start: int
    end: int
    shift: int


def make_plain_patch(old: memoryview, new: memoryview) -> tuple[bytes, int]:
    """Give a patch, and about how many bytes it compresses to."""
    out: list[bytes] = []
    estimate = 0.0
    at_old = 0
    copies = list(_copies(old, new))
    if not copies or copies[0].start or copies[0].shift:
        first = copies[0].start if copies else len(new)
        target = copies[0].start + copies[0].shift if copies else 0
        out += (PatchControl(0, first, target).encode(), bytes(new[:first]))
        at_old = target
        estimate += first * _LITERAL_SHARE
    for index, copy in enumerate(copies):
        follower = copies[index + 1] if index + 1 < len(copies) else None
        extra_end = len(new) if follower is None else follower.start
        at_old = copy.end + copy.shift
        target = at_old if follower is None else follower.start + follower.shift
        control = PatchControl(copy.end - copy.start, extra_end - copy.end, target - at_old)
        difference = subtract(
            new[copy.start : copy.end], old[copy.start + copy.shift : copy.end + copy.shift]
        )
        out += (control.encode(), difference, bytes(new[copy.end : extra_end]))
        differing = len(difference) - difference.count(0)
        estimate += _STEP_ESTIMATE + (differing + extra_end - copy.end) * _LITERAL_SHARE
    return b"".join(out), int(estimate) + CONTROL_BYTES // 8


def subtract(new: memoryview | bytes, old: memoryview | bytes) -> bytes:
    """Subtract byte by byte, modulo 256; both are of one size."""
    if new == old:
        return bytes(len(new))
    pieces = range(0, len(new), _SUBTRACT_BYTES)
    return b"".join(
        _subtract_at_once(new[at : at + _SUBTRACT_BYTES], old[at : at + _SUBTRACT_BYTES])
        for at in pieces
    )


def _subtract_at_once(new: memoryview | bytes, old: memoryview | bytes) -> bytes:
    # As one number: the highest bits keep the borrows within their bytes.
    size = len(new)
    high = int.from_bytes(b"\x80" * size, "little")
    a = int.from_bytes(new, "little")
    b = int.from_bytes(old, "little")
    rest = (a | high) - (b & ~high)
    return (rest ^ ((a ^ b ^ high) & high)).to_bytes(size, "little")


def _copies(old: memoryview, new: memoryview) -> Iterator[_Copy]:
    """Yield copies in the order of the new file; what lies between them is literal."""
    pending: _Copy | None = None
    for start, place, size in find_common_ranges(old, new):
        shift = place - start
        if pending is not None and pending.shift == shift:
            pending = _Copy(pending.start, start + size, shift)
            continue
        if pending is None and start:
            # The beginnings of two versions of a file are alike more often than not.
            pending = _Copy(0, 0, 0)
        if pending is not None:
            pending = _Copy(pending.start, _go_on(old, new, pending, start), pending.shift)
            if pending.end > pending.start:
                yield pending
        begin = _go_back(
            old, new, _Copy(start, start, shift), 0 if pending is None else pending.end
        )
        pending = _Copy(begin, start + size, shift)
    if pending is None:
        pending = _Copy(0, 0, 0)
    pending = _Copy(pending.start, _go_on(old, new, pending, len(new)), pending.shift)
    if pending.end > pending.start:
        yield pending


def _go_on(old: memoryview, new: memoryview, copy: _Copy, limit: int) -> int:
    """Say how far a copy goes on with most bytes agreeing."""
    end = copy.end
    limit = min(limit, len(old) - copy.shift)
    while end < limit:
        stop = min(end + _BLOCK_BYTES, limit)
        if not _is_alike(old, new, end, stop, copy.shift):
            break
        end = stop
    return end


def _go_back(old: memoryview, new: memoryview, copy: _Copy, limit: int) -> int:
    start = copy.start
    limit = max(limit, -copy.shift)
    while start > limit:
        stop = max(start - _BLOCK_BYTES, limit)
        if not _is_alike(old, new, stop, start, copy.shift):
            break
        start = stop
    return start


def _is_alike(old: memoryview, new: memoryview, start: int, end: int, shift: int) -> bool:
    difference = subtract(new[start:end], old[start + shift : end + shift])
    return difference.count(0) * _BLOCK_BYTES >= _LEAST_EQUAL * (end - start)
