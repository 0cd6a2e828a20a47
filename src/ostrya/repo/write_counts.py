# SPDX-License-Identifier: Apache-2.0
"""What the writers of a transaction count, and hand over from one process to another."""

from __future__ import annotations

# In the order of ``TransactionStats``. No dataclass: the module that makes them takes longer to
# load than all of this room.
_NAMES = (
    "metadata_total",
    "metadata_written",
    "content_total",
    "content_written",
    "content_bytes_written",
    "devino_cache_hits",
)


class WriteCounts:
    """How many objects were given to writers, and how many of them were new."""

    __slots__ = _NAMES

    def __init__(self) -> None:
        self.metadata_total = 0
        self.metadata_written = 0
        self.content_total = 0
        self.content_written = 0
        self.content_bytes_written = 0
        self.devino_cache_hits = 0

    def as_tuple(self) -> tuple[int, ...]:
        """Return the counts as plain numbers, to cross a process border."""
        return tuple(getattr(self, name) for name in _NAMES)

    def take(self) -> tuple[int, ...]:
        """Return the counts, and begin anew."""
        values = self.as_tuple()
        for name in _NAMES:
            setattr(self, name, 0)
        return values

    def add(self, values: tuple[int, ...]) -> None:
        """Add the counts of another writer."""
        for name, value in zip(_NAMES, values, strict=True):
            setattr(self, name, getattr(self, name) + value)
