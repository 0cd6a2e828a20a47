# SPDX-License-Identifier: Apache-2.0
import itertools
import json
import subprocess

import pytest

from ostrya.image.disk_layout import PartitionWish, mbr_pieces, named_uuid, plan_disk
from ostrya.image.errors import LayoutError
from ostrya.image.filesystem import find_program
from ostrya.image.gpt import TYPE_BASIC_DATA, TYPE_ESP, TYPE_LINUX, encode_gpt
from support.image_world import missing

MIB = 1 << 20
WISHES = (
    PartitionWish("boot", TYPE_ESP, 16 * MIB, bootable=True),
    PartitionWish("root", TYPE_LINUX, 100 * MIB + 1),
)


def test_everything_begins_at_a_whole_megabyte():
    plan = plan_disk(WISHES, seed="x")
    assert [(one.first, one.sectors) for one in plan.partitions] == [
        (2048, 32768),
        (34816, 101 * 2048),
    ]
    assert plan.sectors == (1 + 16 + 101 + 1) * 2048
    assert (plan.offset(1), plan.size(0)) == (17 * MIB, 16 * MIB)
    assert [one.attributes for one in plan.partitions] == [4, 0]


def test_the_last_one_gets_what_is_left():
    plan = plan_disk(WISHES, seed="x", size_bytes=1024 * MIB)
    assert plan.sectors == 1024 * 2048
    last = plan.partitions[-1]
    assert last.first + last.sectors == 1023 * 2048
    encode_gpt(plan.partitions, disk_guid=plan.guid, disk_sectors=plan.sectors)


def test_uuids_are_those_of_the_seed():
    one, same, other = (plan_disk(WISHES, seed=seed) for seed in ("x", "x", "y"))
    assert one == same
    assert len({*(p.guid for p in (*one.partitions, *other.partitions)), one.guid, other.guid}) == 6
    assert named_uuid("x", "disk") == one.guid


def test_a_disk_that_is_too_small_is_refused():
    with pytest.raises(LayoutError, match="need 119 MiB, and the disk has 118"):
        plan_disk(WISHES, seed="x", size_bytes=118 * MIB)


def many(count):
    extra = [PartitionWish(f"data{at}", TYPE_LINUX, (3 + at) * MIB) for at in range(count)]
    return (PartitionWish("boot", TYPE_BASIC_DATA, 16 * MIB, bootable=True), WISHES[1], *extra)


@pytest.mark.skipif(bool(missing("sfdisk")), reason=missing("sfdisk") or "none")
@pytest.mark.parametrize(
    ("count", "order", "numbers"),
    [
        (2, (0, 2, 3, 1), (1, 2, 3, 4)),
        (3, (0, 2, 3, 4, 1), (1, 2, 5, 6, 7)),
        (3, (0, 1, 2, 3, 4), (1, 2, 5, 6, 7)),
        (4, (0, 2, 1, 3, 4, 5), (1, 2, 3, 5, 6, 7)),
        (4, (0, 2, 3, 4, 1, 5), (1, 2, 5, 6, 7, 3)),
        (9, (0, *range(2, 11), 1), (1, 2, *range(5, 14))),
    ],
)
def test_more_than_four_in_a_table_of_the_old_kind(tmp_path, count, order, numbers):
    plan = plan_disk(many(count), seed="x", table="mbr", order=order)
    assert plan.numbers == numbers
    path = tmp_path / "disk"
    with path.open("wb") as disk:
        disk.truncate(plan.sectors * 512)
        for at, piece in mbr_pieces(plan, b""):
            disk.seek(at)
            disk.write(piece)
    said = subprocess.run(
        [find_program("sfdisk"), "-J", path], capture_output=True, check=True
    ).stdout
    found = {
        int(one["node"].removeprefix(str(path))): (one["start"], one["size"])
        for one in json.loads(said)["partitiontable"]["partitions"]
        if one["type"] != "f"
    }
    assert found == {
        number: (one.first, one.sectors)
        for number, one in zip(numbers, plan.partitions, strict=True)
    }
    subprocess.run([find_program("sfdisk"), "-V", path], check=True, capture_output=True)
    places = sorted((one.first, one.first + one.sectors) for one in plan.partitions)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(places))
    assert places[-1][1] <= plan.sectors


def test_logical_ones_lie_together():
    with pytest.raises(LayoutError, match="data0, data1 cannot all lie") as caught:
        plan_disk(many(4), seed="x", table="mbr", order=(0, 2, 3, 1, 4, 5))
    assert "one side of root" in caught.value.hint
    assert plan_disk(many(4), seed="x", order=(0, 2, 3, 1, 4, 5)).numbers == (1, 2, 3, 4, 5, 6)
