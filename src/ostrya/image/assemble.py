# SPDX-License-Identifier: Apache-2.0
"""One sparse file of a partition table, boot code and file systems.

It appears under its name when it is whole.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.atomic import temporary_name
from ostrya._linux.reflink import copy_range
from ostrya.image.disk_layout import mbr_pieces
from ostrya.image.errors import LayoutError
from ostrya.image.gpt import encode_gpt
from ostrya.image.mbr import SECTOR_BYTES
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ostrya.image.disk_layout import DiskPlan

_CHUNK_BYTES = 1 << 20
_LOOK_BYTES = 4096


class Content(NamedTuple):
    """What is in a partition.

    Attributes:
        pieces: Where each begins in the partition, and its bytes; all else is zero.
        file: Path of a file that is copied, instead.
    """

    pieces: Iterable[tuple[int, bytes]] = ()
    file: str = ""


def assemble(
    path: str,
    plan: DiskPlan,
    contents: Iterable[Content],
    *,
    boot_code: bytes = b"",
    firmware: Sequence[tuple[int, bytes]] = (),
) -> None:
    """Write a disk.

    Args:
        path: The file; one that is there is replaced.
        plan: What lies where.
        contents: Of the partitions, in the order of their numbers.
        boot_code: What firmware of the old kind starts.
        firmware: What has its place on the disk before all partitions: where, and its bytes.

    Raises:
        LayoutError: The plan contradicts itself.
        OSError: It cannot be written. Of all these nothing is left.
    """
    pieces = _table_pieces(plan, boot_code)
    _check_firmware(plan, len(pieces[0][1]), firmware)
    folder = os.path.dirname(os.path.abspath(path))
    unfinished = os.path.join(folder, temporary_name())
    fd = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    try:
        size = plan.sectors * SECTOR_BYTES
        os.ftruncate(fd, size)
        for offset, data in (*pieces, *firmware):
            _write_at(fd, offset, data)
        for at, content in enumerate(contents):
            start = plan.offset(at)
            for offset, data in content.pieces:
                _write_at(fd, start + offset, data)
            if content.file:
                copy_sparse(content.file, fd, start)
        os.rename(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    finally:
        os.close(fd)


def _table_pieces(plan: DiskPlan, boot_code: bytes) -> list[tuple[int, bytes]]:
    """Return the partition table; what is at the disk's beginning comes first."""
    if plan.table == "mbr":
        return mbr_pieces(plan, boot_code)
    table = encode_gpt(
        plan.partitions, disk_guid=plan.guid, disk_sectors=plan.sectors, boot_code=boot_code
    )
    end = plan.sectors * SECTOR_BYTES
    return [(0, table.primary), (end - len(table.backup), table.backup)]


def _check_firmware(
    plan: DiskPlan, table_bytes: int, firmware: Sequence[tuple[int, bytes]]
) -> None:
    """See that nothing lies where something else is."""
    end, before = table_bytes, "the partition table"
    for offset, data in sorted(firmware, key=lambda one: one[0]):
        if offset < end:
            raise LayoutError(
                f"firmware at {offset // 1024} KiB overlaps {before}, which ends at {end} bytes"
            )
        end, before = offset + len(data), f"firmware at {offset // 1024} KiB"
    if plan.offset(0) < end:
        raise LayoutError(
            f"{before} ends at {end} bytes, within the first partition",
            hint="let it begin farther behind, by first_mib",
        )


def copy_sparse(path: str, to_fd: int, offset: int) -> None:
    """Copy what is in a file, but not its holes."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        end = os.fstat(fd).st_size
        at = 0
        while at < end:
            try:
                at = os.lseek(fd, at, os.SEEK_DATA)
            except OSError:
                # No data behind it.
                return
            stop = os.lseek(fd, at, os.SEEK_HOLE)
            while at < stop:
                size = min(_CHUNK_BYTES, stop - at)
                if not _is_zero(fd, at, size):
                    copy_range(fd, to_fd, size, offset + at, at=at)
                at += size
    finally:
        os.close(fd)


def _is_zero(fd: int, at: int, size: int) -> bool:
    """Say whether there are only zeros, as in a journal that nobody has written to."""
    if any(os.pread(fd, min(size, _LOOK_BYTES), at)):
        return False
    data = os.pread(fd, size, at)
    return data.count(0) == len(data)


def _write_at(fd: int, offset: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written
