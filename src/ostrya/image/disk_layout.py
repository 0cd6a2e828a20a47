# SPDX-License-Identifier: Apache-2.0
"""Which partition lies where. Pure.

Everything begins at a whole megabyte. One is the last one, mostly the root file system, so that it
can grow into the rest of a larger disk; what nobody else needs, it gets. Numbers need not be in the
order of places: a partition's number stays the same, whatever there is before it.

A table of the old kind has four entries. Of more partitions, the first two keep theirs, and one
that lies alone on its side of the second; the others are logical ones, with numbers from 5.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from ostrya.image.errors import LayoutError
from ostrya.image.gpt import (
    BACKUP_SECTORS,
    LEGACY_BOOTABLE,
    TYPE_BASIC_DATA,
    TYPE_ESP,
    TYPE_LINUX,
    TYPE_SWAP,
    GptPartition,
)
from ostrya.image.mbr import (
    FIRST_LOGICAL,
    MOST_PARTITIONS,
    SECTOR_BYTES,
    TYPE_ESP_MBR,
    TYPE_EXTENDED,
    TYPE_FAT32_LBA,
    TYPE_LINUX_MBR,
    TYPE_SWAP_MBR,
    MbrPartition,
    encode_chain,
    encode_mbr,
)
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIGN_SECTORS = (1 << 20) // SECTOR_BYTES
_MBR_TYPES = {
    TYPE_BASIC_DATA: TYPE_FAT32_LBA,
    TYPE_ESP: TYPE_ESP_MBR,
    TYPE_LINUX: TYPE_LINUX_MBR,
    TYPE_SWAP: TYPE_SWAP_MBR,
}
_NAMESPACE = UUID("5b2f8b0e-0f54-5d0c-9b9e-6f7374727961")


class PartitionWish(NamedTuple):
    """A partition that is to be.

    Attributes:
        name: What it is called, ``PARTLABEL=``.
        type: What the table says it holds.
        size_bytes: How large it is to be; rounded up.
        bootable: Whether firmware of the old kind, and U-Boot, look at it first.
    """

    name: str
    type: UUID
    size_bytes: int
    bootable: bool = False


class DiskPlan(NamedTuple):
    """A disk as it is to be.

    Attributes:
        partitions: In the order of their numbers.
        sectors: How large it is.
        guid: Its own.
        table: ``gpt``, or ``mbr`` for one of the old kind.
        logical: Which are logical ones, by their places among the partitions, in order.
    """

    partitions: tuple[GptPartition, ...]
    sectors: int
    guid: UUID
    table: str = "gpt"
    logical: tuple[int, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """What the table calls the partitions."""
        primary = count(1)
        return tuple(
            FIRST_LOGICAL + self.logical.index(at) if at in self.logical else next(primary)
            for at in range(len(self.partitions))
        )

    def offset(self, at: int) -> int:
        """Return where a partition begins, in bytes."""
        return self.partitions[at].first * SECTOR_BYTES

    def size(self, at: int) -> int:
        """Return how large a partition is, in bytes."""
        return self.partitions[at].sectors * SECTOR_BYTES


def named_uuid(seed: str, what: str) -> UUID:
    """Return the UUID of a thing: always the same for the same seed."""
    return uuid5(uuid5(_NAMESPACE, seed), what)


def plan_disk(
    wishes: Sequence[PartitionWish],
    *,
    seed: str,
    size_bytes: int = 0,
    table: str = "gpt",
    first_mib: int = 1,
    order: Sequence[int] | None = None,
) -> DiskPlan:
    """Say where partitions lie.

    Args:
        wishes: In the order of their numbers.
        seed: What their UUIDs are made of.
        size_bytes: How large the disk is; 0 for as large as they need.
        table: ``gpt``, or ``mbr`` for one of the old kind.
        first_mib: Where the first one begins.
        order: In which they lie on the disk, by their places among the wishes; None for that of
            their numbers. The last one gets what is left.

    Raises:
        LayoutError: They do not fit.
    """
    sizes = [_sectors(wish.size_bytes) for wish in wishes]
    start = first_mib * ALIGN_SECTORS
    places = range(len(wishes)) if order is None else order
    logical: tuple[int, ...] = ()
    if table == "mbr" and len(wishes) > MOST_PARTITIONS:
        logical = _choose_logical(wishes, places)
    # Before each of these is the sector that describes it.
    needed = start + sum(sizes) + (1 + len(logical)) * ALIGN_SECTORS
    sectors = needed if size_bytes == 0 else size_bytes // SECTOR_BYTES
    if sectors < needed:
        raise LayoutError(
            f"the partitions need {needed * SECTOR_BYTES >> 20} MiB, and the disk has "
            f"{sectors * SECTOR_BYTES >> 20}",
            hint="make the disk greater",
        )
    usable = (sectors - BACKUP_SECTORS) // ALIGN_SECTORS * ALIGN_SECTORS
    at = start
    planned: dict[int, GptPartition] = {}
    for number in places:
        wish, size = wishes[number], sizes[number]
        if number in logical:
            at += ALIGN_SECTORS
        is_last = len(planned) == len(sizes) - 1
        planned[number] = GptPartition(
            at,
            usable - at if is_last else size,
            wish.type,
            named_uuid(seed, f"partition {number}"),
            wish.name,
            LEGACY_BOOTABLE if wish.bootable else 0,
        )
        at += size
    in_order = tuple(planned[number] for number in range(len(wishes)))
    return DiskPlan(in_order, sectors, named_uuid(seed, "disk"), table, logical)


def _choose_logical(wishes: Sequence[PartitionWish], places: Sequence[int]) -> tuple[int, ...]:
    """Return which are logical ones: they have to lie together."""
    root = places.index(1)
    before = [at for at in places[:root] if at > 1]
    after = [at for at in places[root + 1 :] if at > 1]
    fewer, more = (before, after) if len(before) <= len(after) else (after, before)
    if len(fewer) > 1:
        names = ", ".join(wishes[at].name for at in fewer)
        raise LayoutError(
            f"with a partition table of the old kind, {names} cannot all lie where they are wanted:"
            " logical partitions lie together",
            hint=f"of more than {MOST_PARTITIONS}, put all on one side of {wishes[1].name}, or all"
            " but one",
        )
    return tuple(more)


def mbr_pieces(plan: DiskPlan, boot_code: bytes) -> list[tuple[int, bytes]]:
    """Return a table of the old kind, and where each piece of it lies, in bytes.

    Raises:
        LayoutError: It cannot say what is planned.
    """
    partitions = mbr_partitions(plan)
    primary = [one for at, one in enumerate(partitions) if at not in plan.logical]
    chain: list[tuple[int, bytes]] = []
    if plan.logical:
        inside = [partitions[at] for at in plan.logical]
        first = inside[0].first - ALIGN_SECTORS
        end = inside[-1].first + inside[-1].sectors
        extended = MbrPartition(first, end - first, TYPE_EXTENDED)
        chain = encode_chain(extended, inside, ALIGN_SECTORS)
        # It is the fourth, so that the others keep their numbers if there are less of them.
        unused = [MbrPartition(0, 0, 0)] * (MOST_PARTITIONS - 1 - len(primary))
        primary = [*primary, *unused, extended]
    sector = encode_mbr(primary, signature=mbr_signature(plan), boot_code=boot_code)
    return [(0, sector), *((at * SECTOR_BYTES, data) for at, data in chain)]


def mbr_partitions(plan: DiskPlan) -> list[MbrPartition]:
    """Return what a table of the old kind says of the partitions of a disk.

    Raises:
        LayoutError: It cannot say it.
    """
    found = []
    for one in plan.partitions:
        if one.type not in _MBR_TYPES:
            raise LayoutError(f"a table of the old kind has no partition {one.name}")
        active = bool(one.attributes & LEGACY_BOOTABLE)
        found.append(MbrPartition(one.first, one.sectors, _MBR_TYPES[one.type], active))
    return found


def mbr_signature(plan: DiskPlan) -> int:
    """Return the number that a disk has where there is no GUID."""
    return plan.guid.int & 0xFFFFFFFF


def _sectors(size_bytes: int) -> int:
    return -(-size_bytes // (ALIGN_SECTORS * SECTOR_BYTES)) * ALIGN_SECTORS
