# SPDX-License-Identifier: Apache-2.0
"""Decide what a delta is made of.

Which objects share a part, how each is shipped, how a part is compressed, what applying it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.object_name import ObjectName

MEGABYTE = 1000 * 1000
# Clients of 2026 refuse an xz stream that takes more than 100 MiB to be inflated.
_MAX_DICTIONARY = 64 << 20
_MIN_DICTIONARY = 64 << 10
# What the encoder takes for each byte of its window, and beside it.
_ENCODER_FACTOR = 12
_MIN_JOB_BYTES = 48 << 20
_PARTS_PER_JOB = 4
_SMALL_PART = 4 << 20
# Stock clients hold all data of a part in memory; what is larger is fetched by itself, unless
# nothing may be.
_LARGEST_OBJECT = 128 * MEGABYTE
_NO_LIMIT = 1 << 62
# What an object takes of a part beside its content, and a part beside its objects.
_OBJECT_BYTES = 128
_TABLES_BYTES = 4096


@dataclass(frozen=True, slots=True)
class DeltaLimits:
    """What a delta may hold, in bytes; None for what pays.

    Attributes:
        max_chunk: Of the data of a part, unless it is those of a single object.
        max_patch: Of an old and a new file together that are patched; larger ones share ranges.
        min_fallback: Files larger than this that nothing resembles are left to be fetched one by
            one; with 0, none is but for what applying may not take.
        patches: Whether files are patched.
        apply_memory: What applying may take.
        same_path_only: Whether a file resembles nothing but the one that had its path.
    """

    max_chunk: int = 32 * MEGABYTE
    max_patch: int = 128 * MEGABYTE
    min_fallback: int | None = None
    patches: bool = True
    apply_memory: int | None = None
    same_path_only: bool = False

    @property
    def dictionary(self) -> int:
        """The largest window of an xz stream."""
        if self.apply_memory is None:
            return _MAX_DICTIONARY
        return max(_MIN_DICTIONARY, min(_MAX_DICTIONARY, self.apply_memory // 8))

    @property
    def payload(self) -> int:
        """The most data of a part, even if they are those of a single object."""
        if self.apply_memory is None:
            return _NO_LIMIT if self.min_fallback == 0 else max(self.max_chunk, _LARGEST_OBJECT)
        return (self.apply_memory - self.dictionary) // 2

    @property
    def largest(self) -> int:
        """The largest content of a single object, or the longest patch."""
        return self.payload if self.apply_memory is None else self.payload - _TABLES_BYTES

    @property
    def chunk(self) -> int:
        """The most data of a part of several objects; under a ceiling, patches may be longer."""
        most = self.payload if self.apply_memory is None else self.payload * 3 // 4
        return min(self.max_chunk, most)

    def longest_patch(self, size: int) -> int | None:
        """The longest patch that may make a file of this size; None if there is no limit."""
        if self.apply_memory is None:
            return None
        return min(self.largest, size + size // 4 + _OBJECT_BYTES // 2)

    @property
    def patched_file(self) -> int | None:
        """The largest file that may be made by a patch: clients hold it in memory."""
        if self.apply_memory is None:
            return None
        return self.apply_memory - self.dictionary - self.payload


@dataclass(frozen=True, slots=True)
class Workshop:
    """What generating may take.

    Attributes:
        jobs: How many processes work.
        index: Memory of one search for matches, in bytes.
        encoder: Memory of one compressor, in bytes.
        spill: Contents from this size on are in files, not in memory.
    """

    jobs: int
    index: int = 128 << 20
    encoder: int = 112 << 20
    spill: int = 64 << 20

    @classmethod
    def within(cls, jobs: int, memory: int | None) -> Workshop:
        """Spread a limit of memory over processes; fewer of them, if each would get too little."""
        if memory is None:
            return cls(jobs)
        jobs = max(1, min(jobs, memory // _MIN_JOB_BYTES))
        share = memory // jobs
        return cls(jobs, index=share // 3, encoder=share * 2 // 3, spill=max(1 << 20, share // 8))


class NewObject(NamedTuple):
    """An object that the delta makes.

    Attributes:
        name: Which one.
        size: Of its content.
        path: One that the new tree has it under; empty for directories.
        partners: Old files that it may resemble, likeliest first.
        stored_size: Bytes of it in the repository; 0 if that does not matter.
    """

    name: ObjectName
    size: int
    path: str = ""
    partners: tuple[Checksum, ...] = ()
    stored_size: int = 0

    @property
    def work(self) -> int:
        """What making it takes, in some unit: what hardly shrinks takes longest."""
        return self.size + 2 * self.stored_size


class Shipping(StrEnum):
    """How an object is shipped."""

    WHOLE = "whole"
    PATCH = "patch"
    RANGES = "ranges"
    FALLBACK = "fallback"


class Costs(NamedTuple):
    """What shipping a file takes, in bytes after compression; None for what is not possible.

    Attributes:
        whole: As it is, within a part.
        patch: As a patch.
        ranges: As ranges of the old file, and what is between.
        loose: As an object fetched by itself.
    """

    whole: int | None
    patch: int | None
    ranges: int | None
    loose: int | None


def choose_shipping(costs: Costs) -> Shipping:
    """Choose what costs least; of what costs the same, what is simplest to apply.

    What is not possible in any other way is fetched by itself.
    """
    offers = [
        (costs.whole, Shipping.WHOLE),
        (costs.ranges, Shipping.RANGES),
        (costs.patch, Shipping.PATCH),
        (costs.loose, Shipping.FALLBACK),
    ]
    possible = [(cost, rank, kind) for rank, (cost, kind) in enumerate(offers) if cost is not None]
    return min(possible)[2] if possible else Shipping.FALLBACK


def group_parts(
    objects: Iterable[NewObject], limits: DeltaLimits, jobs: int
) -> list[list[NewObject]]:
    """Share objects out over parts: like beside like, and work for all processors.

    The parts that take longest are first.
    """
    ordered = sorted(objects, key=_likeness_key)
    total = sum(one.size for one in ordered)
    even = max(_SMALL_PART, total // (jobs * _PARTS_PER_JOB) + 1)
    target = min(limits.chunk, even)
    parts: list[list[NewObject]] = []
    room = 0
    for one in ordered:
        taken = one.size + _OBJECT_BYTES
        if not parts or taken > room:
            parts.append([])
            room = max(target, taken)
        parts[-1].append(one)
        room -= taken
    return sorted(parts, key=lambda part: -sum(one.work for one in part))


def _likeness_key(one: NewObject) -> tuple[bool, int, str, str, str]:
    if not one.path:
        return (False, int(one.name.type), "", "", one.name.checksum)
    name = one.path.rpartition("/")[2]
    # Files of one kind are alike, and so are those of one folder.
    extension = name.rpartition(".")[2] if "." in name[1:] else ""
    if extension.isdigit() or ".so" in name:
        extension = "so"
    return (True, 0, extension, one.path, one.name.checksum)


def choose_dictionary(payload_size: int, limits: DeltaLimits, encoder_bytes: int) -> int:
    """Choose the window of an xz stream, a power of two."""
    size = _MIN_DICTIONARY
    most = min(limits.dictionary, encoder_bytes // _ENCODER_FACTOR)
    while size < payload_size and size * 2 <= most:
        size *= 2
    return size


def apply_bytes(payload_size: int, dictionary: int, patched_file: int) -> int:
    """Say what applying a part takes: stock clients hold its data and a patched file in memory."""
    return payload_size + dictionary + patched_file
