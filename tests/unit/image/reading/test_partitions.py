# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
import subprocess
from uuid import UUID

import pytest

from ostrya.image.disk_layout import PartitionWish, plan_disk
from ostrya.image.errors import DiskError
from ostrya.image.filesystem import find_program
from ostrya.image.gpt import TYPE_ESP, TYPE_LINUX, encode_gpt
from ostrya.image.reading.partitions import read_table
from ostrya.image.reading.sources import BytesSource
from support.image_world import missing

MIB = 1 << 20
WISHES = [
    PartitionWish("boot", TYPE_ESP, MIB, bootable=True),
    PartitionWish("Würzel", TYPE_LINUX, 2 * MIB),
]


@pytest.fixture
def plan():
    return plan_disk(WISHES, seed="x")


@pytest.fixture
def disk(plan):
    gpt = encode_gpt(plan.partitions, disk_guid=plan.guid, disk_sectors=plan.sectors)
    size = plan.sectors * 512
    return bytearray(gpt.primary.ljust(size - len(gpt.backup), b"\0") + gpt.backup)


def read(data):
    return read_table(BytesSource(bytes(data)))


def test_what_we_write_is_read(disk, plan):
    table = read(disk)
    assert (table.kind, table.guid, table.faults) == ("gpt", str(plan.guid), ())
    first, second = table.partitions
    assert (first.number, first.name, first.type_name, first.bootable) == (
        1,
        "boot",
        "EFI system",
        True,
    )
    assert (second.name, second.offset, second.size_bytes) == (
        "Würzel",
        plan.offset(1),
        plan.size(1),
    )
    assert second.guid == str(plan.partitions[1].guid)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (512, "first copy"),
        (512 + 20, "checksum of its header"),
        (1024 + 3, "checksum of its entries"),
    ],
)
def test_the_second_copy_stands_in_for_the_first(disk, plan, at, words):
    disk[at] ^= 0xFF
    table = read(disk)
    assert [one.name for one in table.partitions] == ["boot", "Würzel"]
    assert words in table.faults[0]


def test_a_lost_second_copy_is_a_fault(disk):
    disk[-512:] = bytes(512)
    (fault,) = read(disk).faults
    assert fault.startswith("the second copy of the partition table: it is not there")


def test_copies_that_differ_are_a_fault(disk, plan):
    other = encode_gpt(plan.partitions[:1], disk_guid=plan.guid, disk_sectors=plan.sectors)
    disk[-len(other.backup) :] = other.backup
    assert read(disk).faults == ("the two copies of the partition table differ",)


def test_two_lost_copies_are_an_error(disk):
    disk[512:520] = disk[-512:-504] = bytes(8)
    with pytest.raises(DiskError, match="partition table is damaged"):
        read(disk)


@pytest.mark.parametrize(
    ("form", "at", "value"),
    [("<I", 80, 1 << 30), ("<I", 84, 16), ("<I", 12, 4096), ("<Q", 24, 9), ("<Q", 72, 1 << 60)],
)
def test_headers_that_lie_are_bounded(disk, form, at, value):
    from zlib import crc32

    for place in (512, len(disk) - 512):
        struct.pack_into(form, disk, place + at, value)
        struct.pack_into("<I", disk, place + 16, 0)
        size = min(512, struct.unpack_from("<I", disk, place + 12)[0])
        struct.pack_into("<I", disk, place + 16, crc32(bytes(disk[place : place + size])))
    with pytest.raises(DiskError, match="damaged"):
        read(disk)


def mbr(*entries, signature=0x11223344):
    data = bytearray(512)
    struct.pack_into("<I", data, 440, signature)
    for at, entry in enumerate(entries):
        struct.pack_into("<B3xB3xII", data, 446 + 16 * at, *entry)
    data[510:] = b"\x55\xaa"
    return data


def test_the_old_kind_is_read():
    disk = mbr((0x80, 0x0C, 2, 10), (0, 0, 0, 0), (0, 0x83, 12, 8)) + bytes(512 * 30)
    table = read(disk)
    assert (table.kind, table.guid) == ("mbr", "11223344")
    first, second = table.partitions
    assert (first.number, first.type, first.type_name, first.bootable) == (1, "0x0c", "FAT32", True)
    assert (second.number, second.offset, second.size_bytes, second.guid) == (
        3,
        12 * 512,
        8 * 512,
        "11223344-03",
    )


def test_logical_partitions_are_read():
    disk = mbr((0, 0x0F, 4, 20)) + bytes(512 * 30)
    disk[4 * 512 : 5 * 512] = mbr((0, 0x83, 1, 3), (0, 0x05, 8, 8))
    disk[12 * 512 : 13 * 512] = mbr((0, 0x82, 2, 4))
    found = read(disk).partitions
    assert [(one.number, one.type_name, one.offset // 512) for one in found] == [
        (1, "extended", 4), (5, "Linux", 5), (6, "swap", 14),
    ]  # fmt: skip


@pytest.mark.parametrize("target", [0, 50, 3], ids=["circle", "far", "nothing"])
def test_a_broken_chain_of_logical_partitions_is_an_error(target):
    disk = mbr((0, 0x05, 4, 20)) + bytes(512 * 30)
    disk[4 * 512 : 5 * 512] = mbr((0, 0x83, 1, 3), (0, 0x05, target, 8))
    with pytest.raises(DiskError, match="chain of logical partitions is damaged"):
        read(disk)


def test_nothing_is_no_table():
    assert read(bytes(4096)).kind == ""
    with pytest.raises(DiskError, match="only 100 bytes"):
        read(bytes(100))


@pytest.mark.skipif(bool(missing("sgdisk")), reason="sgdisk is not installed")
def test_what_sgdisk_writes_is_read(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(bytes(8 * MIB))
    guid = "12345678-1234-5678-9ABC-123456789ABC"
    argv = ["-n", "3:2048:4095", "-t", "3:8300", "-c", "3:name", "-u", f"3:{guid}", path]
    subprocess.run([find_program("sgdisk"), *argv], check=True, capture_output=True)
    (found,) = read(path.read_bytes()).partitions
    assert (found.number, found.name, found.offset, found.size_bytes) == (3, "name", MIB, MIB)
    assert UUID(found.guid) == UUID(guid)
