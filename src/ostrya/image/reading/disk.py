# SPDX-License-Identifier: Apache-2.0
"""An image as a whole: its partitions, and the file systems in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from ostrya.image import qcow2
from ostrya.image.errors import DiskError
from ostrya.image.reading.ext4 import Ext4
from ostrya.image.reading.fat import Fat
from ostrya.image.reading.partitions import Partition, Table, read_table
from ostrya.image.reading.qcow2 import Qcow2Source
from ostrya.image.reading.sources import FileSource, Window, compression_of, unpack
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.reading.files import FileSystem
    from ostrya.image.reading.sources import Source

_HEAD_BYTES = 4096
# What else may be in a partition: where it says so, and how.
_OTHERS = (
    (0x10040, b"_BHRfS_M", "btrfs"),
    (0, b"XFSB", "xfs"),
    (0, b"hsqs", "squashfs"),
    (1024, b"\xe2\xe1\xf5\xe0", "erofs"),
    (4086, b"SWAPSPACE2", "swap"),
    (0x400, b"\x10\x20\xf5\xf2", "f2fs"),
    (0, b"LUKS\xba\xbe", "luks"),
)
_USTAR = b"ustar"


class Volume(NamedTuple):
    """A partition, and what is in it.

    Attributes:
        partition: What the table says.
        source: Its bytes.
        kind: ``ext4``, ``fat32`` and the like; empty if nobody knows.
        files: Its files, where they can be read here.
        fault: Why they cannot, where it looks as if they could.
    """

    partition: Partition
    source: Source
    kind: str
    files: FileSystem | None = None
    fault: str = ""


class DiskImage:
    """An image.

    Attributes:
        path: Its file.
        format: ``raw``, ``qcow2``, or compressed: ``raw.xz``.
        source: The bytes of the disk.
        table: Its partition table.
        volumes: Its partitions; the whole as the only one, where it is a file system.
    """

    def __init__(self, path: str, *, folder: str | None = None) -> None:
        """Open an image.

        Args:
            path: Its file.
            folder: Where a compressed one is unpacked; that for temporary files if None.

        Raises:
            DiskError: It is none, or damaged.
            OSError: It cannot be read; there is no room to unpack it.
        """
        self.path = path
        try:
            self._file = _open(path, folder)
        except DiskError as exc:
            exc.put_first(path)
            raise
        self.format, file = self._file
        try:
            self.source: Source = Qcow2Source(file) if self.format.startswith("qcow2") else file
            self.volumes, self.table = _read_volumes(self.source)
        except DiskError as exc:
            file.close()
            exc.put_first(path)
            raise
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        """Close its file."""
        self._file[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def file_path(self) -> str:
        """Where other programs find it unpacked, while it is open."""
        return self._file[1].path

    def volume(self, name: str) -> Volume:
        """Return a partition by its number, its name, or its label.

        Raises:
            DiskError: There is none such.
        """
        for one in self.volumes:
            if name == str(one.partition.number):
                return one
        named = [one for one in self.volumes if one.partition.name == name]
        named += [one for one in self.volumes if one.files is not None and one.files.label == name]
        if not named:
            known = ", ".join(_known_names(self.volumes))
            raise DiskError(f"{self.path} has no partition '{name}'", hint=f"it has {known}")
        return named[0]


def _known_names(volumes: tuple[Volume, ...]) -> Iterator[str]:
    for one in volumes:
        name = one.partition.name
        yield f"{one.partition.number} ({name})" if name else str(one.partition.number)


def _open(path: str, folder: str | None) -> tuple[str, FileSource]:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        head = os.pread(fd, _HEAD_BYTES, 0)
        compression = compression_of(head)
        file = unpack(fd, compression, folder) if compression else FileSource(fd)
    except IsADirectoryError:
        os.close(fd)
        raise DiskError("it is a directory, not an image") from None
    except BaseException:
        os.close(fd)
        raise
    suffix = ""
    if compression:
        os.close(fd)
        suffix = f".{compression}"
    is_qcow2 = file.size_bytes >= 4 and file.read(0, 4) == qcow2.MAGIC
    return f"qcow2{suffix}" if is_qcow2 else f"raw{suffix}", file


def _read_volumes(source: Source) -> tuple[tuple[Volume, ...], Table]:
    whole = Partition(1, 0, source.size_bytes, "", "", "")
    # Before the table: the first sector of a FAT looks like one.
    volume = look_into(whole, source)
    if volume.files is not None or volume.kind:
        return (volume,), Table("", "", ())
    table = read_table(source)
    if not table.kind:
        if source.size_bytes >= 512 and source.read(257, len(_USTAR)) == _USTAR:
            raise DiskError("it is a tar archive, not an image", hint="tar -t lists what is in it")
        raise DiskError("it has neither a partition table nor a file system that anybody knows")
    volumes = tuple(
        look_into(one, Window(source, one.offset, one.size_bytes)) for one in table.partitions
    )
    return volumes, table


def look_into(partition: Partition, source: Source) -> Volume:
    """Find out what is in a partition."""
    if partition.type_name == "extended":
        return Volume(partition, source, "")
    for reader, magic_at, magic in ((Ext4, 1080, b"\x53\xef"), (Fat, 510, b"\x55\xaa")):
        if not _has(source, magic_at, magic):
            continue
        try:
            files = reader(source)
        except DiskError as exc:
            if reader is Ext4:
                return Volume(partition, source, "ext4", fault=exc.message)
            continue
        return Volume(partition, source, files.kind, files)
    kind = next((name for at, magic, name in _OTHERS if _has(source, at, magic)), "")
    return Volume(partition, source, kind)


def _has(source: Source, at: int, magic: bytes) -> bool:
    return source.size_bytes >= at + len(magic) and source.read(at, len(magic)) == magic
