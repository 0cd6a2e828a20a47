# SPDX-License-Identifier: Apache-2.0
"""What the writers of a transaction count, and hand over from one process to another."""

from __future__ import annotations


class WriteCounts:
    """How many objects were given to writers, and how many of them were new."""

    __slots__ = (
        "content_bytes_written",
        "content_total",
        "content_written",
        "devino_cache_hits",
        "metadata_total",
        "metadata_written",
    )

    def __init__(self) -> None:
        self._set((0, 0, 0, 0, 0, 0))

    def _set(self, values: tuple[int, ...]) -> None:
        (
            self.metadata_total,
            self.metadata_written,
            self.content_total,
            self.content_written,
            self.content_bytes_written,
            self.devino_cache_hits,
        ) = values

    def as_tuple(self) -> tuple[int, int, int, int, int, int]:
        """Return the counts as plain numbers, to cross a process border."""
        return (
            self.metadata_total,
            self.metadata_written,
            self.content_total,
            self.content_written,
            self.content_bytes_written,
            self.devino_cache_hits,
        )

    def take(self) -> tuple[int, int, int, int, int, int]:
        """Return the counts, and begin anew."""
        values = self.as_tuple()
        self._set((0, 0, 0, 0, 0, 0))
        return values

    def add(self, values: tuple[int, ...]) -> None:
        """Add the counts of another writer."""
        mine = self.as_tuple()
        self._set(tuple(a + b for a, b in zip(mine, values, strict=True)))
