# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.disk_layout import PartitionWish, named_uuid, plan_disk
from ostrya.image.errors import LayoutError
from ostrya.image.gpt import TYPE_ESP, TYPE_LINUX, encode_gpt

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
