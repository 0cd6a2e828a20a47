# SPDX-License-Identifier: Apache-2.0
"""Files of a FAT: twelve, sixteen or thirty-two bits.

It knows no owners and no modes; what is read-only says so. Names differ by more than capitals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError
from ostrya.image.reading.fat_entries import READ_ONLY, VOLUME, decode_entries
from ostrya.image.reading.fat_layout import Layout
from ostrya.image.reading.files import Entry, FileKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.xattrs import Xattrs
    from ostrya.image.reading.fat_entries import FatEntry
    from ostrya.image.reading.sources import Source

# FAT's own limit.
_MOST_DIRECTORY_BYTES = 65536 * 32
_ROOT = 0


class Fat:
    """A FAT.

    Attributes:
        kind: ``fat12``, ``fat16`` or ``fat32``.
        uuid: Its number, as ``UUID=`` has it.
        size_bytes: How large it is.
        layout: Where things lie in it.
    """

    def __init__(self, source: Source) -> None:
        """Read the boot sector.

        Raises:
            DiskError: It is no FAT, or damaged.
        """
        self.layout = layout = Layout(source)
        self.kind = f"fat{layout.bits}"
        number = layout.volume_id
        self.uuid = f"{number >> 16:04X}-{number & 0xFFFF:04X}"
        self.size_bytes = layout.size_bytes
        self._label: str | None = None

    @property
    def label(self) -> str:
        """What it is called: an entry of the root, or else what the boot sector says."""
        if self._label is None:
            raw = self.layout.boot_label
            for entry in decode_entries(self.table(_ROOT)):
                if entry.attributes & VOLUME:
                    raw = entry.short
                    break
            text = raw.decode("cp437").rstrip(" \0")
            self._label = "" if text == "NO NAME" else text
        return self._label

    @property
    def free_bytes(self) -> int:
        """How much of it is free, as its table says."""
        layout = self.layout
        used = sum(count for _, count in layout.used_clusters())
        return (layout.clusters - used) * layout.cluster_bytes

    def root(self) -> Entry:
        """Return its root."""
        return Entry("", FileKind.DIRECTORY, 0o755, 0, 0, 0, 0, _ROOT)

    def entries(self, directory: Entry) -> Iterator[Entry]:
        """Yield what is in a directory, in the order of names.

        Raises:
            DiskError: It is damaged.
        """
        found = (_entry(one) for one in self.names(directory.handle))
        yield from sorted(found, key=lambda one: one.name)

    def find(self, directory: Entry, name: str) -> Entry | None:
        """Return what has a name in a directory, whatever its capitals; None if nothing has.

        Raises:
            DiskError: It is damaged.
        """
        wanted = name.upper()
        for one in self.names(directory.handle):
            if one.name.upper() == wanted:
                return _entry(one)
        return None

    def chunks(self, file: Entry) -> Iterator[bytes]:
        """Yield what is in a file.

        Raises:
            DiskError: It is damaged.
        """
        left, layout = file.size_bytes, self.layout
        if not left:
            return
        for cluster in layout.chain(file.handle):
            size = min(left, layout.cluster_bytes)
            yield layout.source.read(layout.offset(cluster), size)
            left -= size
            if not left:
                return
        raise DiskError(f"the file {file.name} is shorter than its directory says")

    def target(self, link: Entry) -> str:
        """Return where a link leads; there are none.

        Raises:
            DiskError: In any case.
        """
        raise DiskError(f"{link.name} is no link: a FAT has none")

    def xattrs(self, entry: Entry) -> Xattrs:
        """Return no extended attributes."""
        del entry
        return ()

    # -- for who writes to it

    def names(self, cluster: int) -> list[FatEntry]:
        """List what is in a directory, labels left out, by the cluster where it begins.

        Raises:
            DiskError: It is damaged.
        """
        table = self.table(cluster)
        return [one for one in decode_entries(table) if not one.attributes & VOLUME]

    def table(self, cluster: int) -> bytes:
        """Read a directory, by the cluster where it begins; 0 for the root.

        Raises:
            DiskError: It is damaged.
        """
        layout = self.layout
        if cluster == _ROOT and layout.root_bytes:
            return layout.source.read(layout.root_at, layout.root_bytes)
        parts, size = [], 0
        for one in layout.chain(cluster or layout.root_cluster):
            if size > _MOST_DIRECTORY_BYTES:
                raise DiskError(f"the directory at cluster {cluster} is too large")
            parts.append(layout.source.read(layout.offset(one), layout.cluster_bytes))
            size += layout.cluster_bytes
        return b"".join(parts)

    def used_ranges(self) -> Iterator[tuple[int, int]]:
        """Yield what of it is in use: where, and how many bytes.

        Raises:
            DiskError: It is damaged.
        """
        layout = self.layout
        yield 0, layout.data_at
        for first, count in layout.used_clusters():
            yield layout.offset(first), count * layout.cluster_bytes


def _entry(one: FatEntry) -> Entry:
    kind = FileKind.DIRECTORY if one.is_dir else FileKind.FILE
    mode = 0o755 if one.is_dir else 0o444 if one.attributes & READ_ONLY else 0o644
    return Entry(one.name, kind, mode, 0, 0, one.size, one.mtime, one.cluster)
