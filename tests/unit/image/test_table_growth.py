# SPDX-License-Identifier: Apache-2.0
import subprocess
from uuid import UUID

import pytest

from ostrya.image.disk_layout import PartitionWish, mbr_pieces, plan_disk
from ostrya.image.errors import LayoutError
from ostrya.image.filesystem import find_program
from ostrya.image.gpt import TYPE_ESP, TYPE_LINUX, GptPartition, encode_gpt
from ostrya.image.mbr import SECTOR_BYTES
from ostrya.image.reading.partitions import read_table
from ostrya.image.reading.sources import BytesSource
from ostrya.image.table_growth import plan_growth
from support.image_world import missing

SMALL, LARGE = 65536, 262144
PARTITIONS = (
    GptPartition(2048, 4096, TYPE_ESP, UUID(int=1), "boot"),
    GptPartition(6144, 57344, TYPE_LINUX, UUID(int=2), "root"),
)


def disk(partitions=PARTITIONS, sectors=LARGE):
    found = bytearray(sectors * SECTOR_BYTES)
    gpt = encode_gpt(partitions, disk_guid=UUID(int=9), disk_sectors=SMALL, boot_code=b"\xeb" * 440)
    found[: len(gpt.primary)] = gpt.primary
    end = SMALL * SECTOR_BYTES
    found[end - len(gpt.backup) : end] = gpt.backup
    return found


def reader(data):
    return lambda offset, size: bytes(data[offset : offset + size])


def apply(data, growth, count=None):
    for offset, piece in growth.writes[:count]:
        data[offset : offset + len(piece)] = piece


@pytest.mark.skipif(bool(missing("sgdisk")), reason=missing("sgdisk") or "none")
def test_the_last_partition_reaches_the_end(tmp_path):
    data = disk()
    growth = plan_growth(reader(data), LARGE, 2)
    assert (growth.first, growth.sectors) == (6144, LARGE - 2048 - 6144)
    apply(data, growth)
    path = tmp_path / "disk"
    path.write_bytes(data)
    argv = [find_program("sgdisk"), "-v", "-i", "2", path]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "No problems found" in said
    assert f"Last sector: {LARGE - 2048 - 1} " in said
    assert "Partition unique GUID: 00000000-0000-0000-0000-000000000002" in said
    assert data[:440] == b"\xeb" * 440
    assert plan_growth(reader(data), LARGE, 2).writes == ()


def test_power_may_fail_between_any_two_writes_and_at_each_sector():
    """After any prefix, whoever reads the first header finds a table, old or new."""
    old = plan_growth(reader(disk()), SMALL, 2)
    assert old.writes == ()
    growth = plan_growth(reader(disk()), LARGE, 2)
    seen = set()
    for count in range(len(growth.writes)):
        offset, piece = growth.writes[count]
        for cut in range(0, len(piece) + 1, SECTOR_BYTES):
            data = disk()
            apply(data, growth, count)
            data[offset : offset + cut] = piece[:cut]
            # What is found is whole, and what is left to be done ends the same.
            rest = plan_growth(reader(data), LARGE, 2)
            seen.add(rest.writes == ())
            apply(data, rest)
            assert plan_growth(reader(data), LARGE, 2) == growth._replace(writes=())
    assert seen == {True, False}


def disk_of_logical_ones(order=(0, 1, 2, 3, 4)):
    wishes = [PartitionWish(name, TYPE_LINUX, 1 << 20) for name in "abcde"]
    data = bytearray(LARGE * SECTOR_BYTES)
    plan = plan_disk(wishes, seed="x", table="mbr", order=order)
    for offset, piece in mbr_pieces(plan, b""):
        data[offset : offset + len(piece)] = piece
    return data, plan


def test_a_logical_partition_and_what_it_is_in():
    data, plan = disk_of_logical_ones()
    first = plan.partitions[4].first
    growth = plan_growth(reader(data), LARGE, 7)
    assert (growth.first, growth.sectors) == (first, LARGE - first)
    assert [len(piece) for _, piece in growth.writes] == [512, 512]
    for count in (0, 1, 2):
        data, _ = disk_of_logical_ones()
        apply(data, growth, count)
        # Never larger than what it is in; and what is left to be done ends the same.
        table = read_table(BytesSource(bytes(data)))
        known = {one.number: one for one in table.partitions}
        assert known[7].offset + known[7].size_bytes <= known[4].offset + known[4].size_bytes
        apply(data, plan_growth(reader(data), LARGE, 7))
        assert plan_growth(reader(data), LARGE, 7) == growth._replace(writes=())


@pytest.mark.parametrize("number", [2, 5, 6])
def test_one_that_is_followed_by_logical_ones_stays(number):
    data, _ = disk_of_logical_ones()
    with pytest.raises(LayoutError, match="something behind"):
        plan_growth(reader(data), LARGE, number)


def test_a_primary_one_behind_logical_ones():
    data, plan = disk_of_logical_ones((0, 2, 3, 4, 1))
    assert plan_growth(reader(data), LARGE, 2).sectors == LARGE - plan.partitions[1].first
    with pytest.raises(LayoutError, match="something behind partition 7"):
        plan_growth(reader(data), LARGE, 7)


def test_logical_ones_that_are_not_there():
    data, plan = disk_of_logical_ones()
    with pytest.raises(LayoutError, match="no partition 8"):
        plan_growth(reader(data), LARGE, 8)
    sector = (plan.partitions[3].first - 2048) * SECTOR_BYTES
    data[sector + 510] = 0
    with pytest.raises(LayoutError, match="chain of logical partitions is damaged"):
        plan_growth(reader(data), LARGE, 7)


def test_tables_of_the_old_kind():
    data = bytearray(LARGE * SECTOR_BYTES)
    data[446:462] = bytes.fromhex("80000000 0c000000 00080000 00100000".replace(" ", ""))
    data[462:478] = bytes.fromhex("00000000 83000000 00180000 00e00000".replace(" ", ""))
    data[510:512] = b"\x55\xaa"
    growth = plan_growth(reader(data), LARGE, 2)
    assert (growth.first, growth.sectors) == (0x1800, LARGE - 0x1800)
    ((offset, piece),) = growth.writes
    assert (offset, len(piece)) == (0, 512)
    apply(data, growth)
    assert plan_growth(reader(data), LARGE, 2).writes == ()
    with pytest.raises(LayoutError, match="something behind partition 1"):
        plan_growth(reader(data), LARGE, 1)


def test_what_cannot_grow():
    cases = [
        (disk(), 1, "something behind partition 1"),
        (disk(), 3, "the disk has no partition 3"),
        (bytearray(LARGE * SECTOR_BYTES), 1, "no partition table"),
    ]
    damaged = disk()
    damaged[1024] ^= 1
    torn = disk()
    torn[600] ^= 1
    cases += [(damaged, 2, "table is damaged"), (torn, 2, "table is damaged")]
    for data, number, words in cases:
        with pytest.raises(LayoutError, match=words):
            plan_growth(reader(data), LARGE, number)
