# SPDX-License-Identifier: Apache-2.0
"""Where things lie in a FAT, and its table.

Source: Microsoft's FAT specification, 1.03.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.reading.sources import Source

_BOOT_BYTES = 512
_SIGNATURE = b"\x55\xaa"
_ENDS = {12: 0xFF8, 16: 0xFFF8, 32: 0x0FFFFFF8}
_FROM_16, _FROM_32 = 4085, 65525
_PAGE_BYTES, _KEPT_PAGES = 48 << 10, 64
FREE = 0


class Layout:
    """The boot sector of a FAT, and what follows from it.

    Attributes:
        bits: Of an entry of the table: 12, 16 or 32.
        sector_bytes: How large a sector is.
        cluster_bytes: How large a cluster is.
        clusters: How many there are; their numbers begin at 2.
        tables_at: Where the first table is, in bytes.
        tables: How many copies of it there are.
        table_bytes: How large one is.
        root_at: Where the root directory is; of FAT32 it is a chain.
        root_bytes: How large it is; 0 for a chain.
        root_cluster: Where that chain begins.
        data_at: Where the first cluster is.
        info_at: Where the count of free clusters is noted; 0 for nowhere.
        volume_id: Its number.
        end: What is in the table behind the last cluster of a file, or more.
    """

    def __init__(self, source: Source) -> None:
        """Read the boot sector.

        Raises:
            DiskError: It is no FAT, or damaged.
        """
        if source.size_bytes < _BOOT_BYTES:
            raise DiskError("it is no FAT")
        self.source = source
        boot = source.read(0, _BOOT_BYTES)
        numbers: tuple[int, ...] = struct.unpack_from("<HBHBH", boot, 11)
        sector, per_cluster, reserved, self.tables, roots = numbers
        more: tuple[int, ...] = struct.unpack_from("<HBHHHIII", boot, 19)
        small, _, short, *_, large, long = more
        sectors, table_sectors = small or large, short or long
        is_fine = (
            boot[510:] == _SIGNATURE
            and boot[0] in (0xEB, 0xE9)
            and sector in (512, 1024, 2048, 4096)
            and per_cluster in (1 << bit for bit in range(8))
            and reserved > 0
            and self.tables in (1, 2)
            and table_sectors > 0
        )
        if not is_fine:
            raise DiskError("it is no FAT")
        self.sector_bytes, self.cluster_bytes = sector, sector * per_cluster
        self.tables_at, self.table_bytes = reserved * sector, table_sectors * sector
        self.root_at = self.tables_at + self.tables * self.table_bytes
        self.data_at = self.root_at + -(-roots * 32 // sector) * sector
        self.size_bytes = sectors * sector
        self.clusters = (self.size_bytes - self.data_at) // self.cluster_bytes
        if self.clusters < 1 or self.size_bytes > source.size_bytes:
            raise DiskError("the boot sector of the FAT is damaged")
        self.bits = 12 if self.clusters < _FROM_16 else 16 if self.clusters < _FROM_32 else 32
        if short == 0:
            self.bits = 32
        if self.table_bytes * 8 < (self.clusters + 2) * self.bits:
            raise DiskError("the boot sector of the FAT is damaged")
        is_32 = self.bits == 32
        self.root_bytes = 0 if is_32 else roots * 32
        self.root_cluster = int.from_bytes(boot[44:48], "little") if is_32 else 0
        info = int.from_bytes(boot[48:50], "little") if is_32 else 0
        self.info_at = info * sector if 0 < info < reserved else 0
        fields = 64 if is_32 else 36
        self.volume_id = int.from_bytes(boot[fields + 3 : fields + 7], "little")
        self.boot_label = boot[fields + 7 : fields + 18]
        self.end = _ENDS[self.bits]
        self._pages: OrderedDict[int, bytes] = OrderedDict()

    def offset(self, cluster: int) -> int:
        """Return where a cluster is.

        Raises:
            DiskError: There is none such.
        """
        if not 2 <= cluster < self.clusters + 2:
            raise DiskError(f"cluster {cluster} of the FAT does not exist")
        return self.data_at + (cluster - 2) * self.cluster_bytes

    def next(self, cluster: int) -> int:
        """Return what the table says of a cluster."""
        if self.bits != 12:
            size = self.bits // 8
            data = self._table(cluster * size, size)
            return int.from_bytes(data, "little") & 0x0FFFFFFF
        both = int.from_bytes(self._table(cluster * 3 // 2, 2), "little")
        return both >> 4 if cluster & 1 else both & 0xFFF

    def _table(self, at: int, size: int) -> bytes:
        page, within = divmod(at, _PAGE_BYTES)
        data = self._page(page)[within : within + size]
        return data if len(data) == size else data + self._page(page + 1)[: size - len(data)]

    def _page(self, number: int) -> bytes:
        page = self._pages.get(number)
        if page is None:
            at = number * _PAGE_BYTES
            size = min(_PAGE_BYTES, self.table_bytes - at)
            page = self._pages[number] = self.source.read(self.tables_at + at, size)
            if len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)
        return page

    def forget(self) -> None:
        """Read the table anew: somebody has changed it."""
        self._pages.clear()

    def chain(self, cluster: int) -> Iterator[int]:
        """Yield the clusters of a chain.

        Raises:
            DiskError: It leads out of the file system, or in a circle.
        """
        for _ in range(self.clusters):
            self.offset(cluster)
            yield cluster
            cluster = self.next(cluster)
            if cluster >= self.end:
                return
        raise DiskError("a chain of clusters leads in a circle")

    def used_clusters(self) -> Iterator[tuple[int, int]]:
        """Yield runs of clusters that are in use: the first, and how many."""
        first = None
        for cluster in range(2, self.clusters + 2):
            is_used = self.next(cluster) != FREE
            if is_used and first is None:
                first = cluster
            elif not is_used and first is not None:
                yield first, cluster - first
                first = None
        if first is not None:
            yield first, self.clusters + 2 - first
