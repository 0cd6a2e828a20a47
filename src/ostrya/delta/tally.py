# SPDX-License-Identifier: Apache-2.0
"""How far the parts of a delta are that several processes make.

A part is searched for matches first, and compressed then; about half of the time goes into each.
"""

from __future__ import annotations

from mmap import mmap
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DONE = Struct("=Q")


class Tally:
    """Bytes that are done of each part, in memory that forked workers share.

    Attributes:
        total: Of all parts.
    """

    __slots__ = ("_map", "_on_note", "_sizes", "total")

    def __init__(self, sizes: Sequence[int], on_note: Callable[[], None] | None = None) -> None:
        """Begin with nothing done.

        Args:
            sizes: Of the content that each part makes, in bytes.
            on_note: Called after each note, wherever that is made.
        """
        self._sizes = sizes
        self._map = mmap(-1, _DONE.size * max(len(sizes), 1))
        self._on_note = on_note
        self.total = sum(sizes)

    def note_searched(self, part: int, size: int) -> None:
        """Take note of how many bytes of a part have been searched for matches."""
        self._note(part, size // 2)

    def note_packed(self, part: int, share: float) -> None:
        """Take note of the share of a part that is compressed, from 0 to 1."""
        size = self._sizes[part]
        self._note(part, size // 2 + int((size - size // 2) * share))

    def _note(self, part: int, done: int) -> None:
        # Each has a place of its own, which one worker writes.
        _DONE.pack_into(self._map, _DONE.size * part, done)
        if self._on_note is not None:
            self._on_note()

    @property
    def done(self) -> int:
        """How many bytes are done of all."""
        return sum(
            _DONE.unpack_from(self._map, _DONE.size * part)[0] for part in range(len(self._sizes))
        )
