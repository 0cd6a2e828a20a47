# SPDX-License-Identifier: Apache-2.0
"""What a pull wants by deltas, what it found, and what all of it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.named_tuple import NamedTuple
from ostrya.repo.free_space import format_size

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.delta_superblock import Fallback, Superblock


class DeltaTarget(NamedTuple):
    """A commit to get by a delta.

    Attributes:
        commit: The commit.
        ref: What it was asked for by; None for itself.
        current: What that ref is here; None if it is not.
    """

    commit: Checksum
    ref: str | None = None
    current: Checksum | None = None


class FoundDelta(NamedTuple):
    """A delta that leads to a target.

    Attributes:
        block: Its head.
        missing: Its parts whose objects are not all here, by number.
        fallbacks: Those of its fallbacks that are not here.
        head_size: Bytes of the superblock.
    """

    block: Superblock
    missing: tuple[int, ...]
    fallbacks: tuple[Fallback, ...]
    head_size: int

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        apart = sum(self.block.parts[index].size for index in self._apart)
        return self.head_size + apart + sum(fallback.size for fallback in self.fallbacks)

    @property
    def requests(self) -> int:
        """How many files to fetch."""
        return 1 + len(self._apart) + len(self.fallbacks)

    @property
    def unpacked_size(self) -> int:
        """Bytes of what is to be made."""
        made = sum(self.block.parts[index].unpacked_size for index in self.missing)
        return made + sum(fallback.unpacked_size for fallback in self.fallbacks)

    @property
    def apply_memory(self) -> int | None:
        """What applying takes, in bytes, if its author knows."""
        from ostrya.formats.delta_superblock import KEY_APPLY_MEMORY

        stated = self.block.metadata.lookup(KEY_APPLY_MEMORY, "t")
        return None if stated is None else swap_u64(stated)

    @property
    def _apart(self) -> list[int]:
        """The parts that the superblock does not carry."""
        return [index for index in self.missing if self.block.inline_part(index) is None]


class DeltaCounts:
    """What the deltas of a pull came to, so far.

    Attributes:
        parts: How many parts they have.
        parts_here: How many of those were here, or are by now.
        parts_fetched: How many were applied.
        fallbacks: How many objects are in none of the parts.
        fallbacks_here: How many of those are here.
        size: Of parts and fallbacks, in bytes.
        size_here: Of those that were here.
        unpacked_size: Of what they make, in bytes.
        superblocks: How many deltas there are.
    """

    __slots__ = (
        "fallbacks",
        "fallbacks_here",
        "parts",
        "parts_fetched",
        "parts_here",
        "size",
        "size_here",
        "superblocks",
        "unpacked_size",
    )

    def __init__(self) -> None:
        """Begin with nothing."""
        self.parts = 0
        self.parts_here = 0
        self.parts_fetched = 0
        self.fallbacks = 0
        self.fallbacks_here = 0
        self.size = 0
        self.size_here = 0
        self.unpacked_size = 0
        self.superblocks = 0

    def sentence(self) -> str:
        """Say it as libostree does before a pull."""
        here, total = self.parts_here + self.fallbacks_here, self.parts + self.fallbacks
        return (
            f"Delta update: {here}/{total} parts, {format_size(self.size_here)}/"
            f"{format_size(self.size)}, {format_size(self.unpacked_size)} total uncompressed"
        )
