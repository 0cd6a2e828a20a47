# SPDX-License-Identifier: Apache-2.0
"""What the writers of a transaction count, and hand over from one process to another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class WriteCounts:
    """How many objects were given to writers, and how many of them were new."""

    metadata_total: int = 0
    metadata_written: int = 0
    content_total: int = 0
    content_written: int = 0
    content_bytes_written: int = 0
    devino_cache_hits: int = 0

    def as_tuple(self) -> tuple[int, ...]:
        """Return the counts as plain numbers, to cross a process border."""
        return tuple(getattr(self, name) for name in self.__slots__)

    def take(self) -> tuple[int, ...]:
        """Return the counts, and begin anew."""
        values = self.as_tuple()
        for name in self.__slots__:
            setattr(self, name, 0)
        return values

    def add(self, values: tuple[int, ...]) -> None:
        """Add the counts of another writer."""
        for name, value in zip(self.__slots__, values, strict=True):
            setattr(self, name, getattr(self, name) + value)
