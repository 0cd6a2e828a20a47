# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.image.assemble import Content, assemble
from ostrya.image.disk_layout import PartitionWish, plan_disk
from ostrya.image.errors import LayoutError
from ostrya.image.gpt import TYPE_BASIC_DATA, TYPE_ESP, TYPE_LINUX
from support.image_world import carve

MIB = 1 << 20
PLAN = plan_disk(
    [PartitionWish("boot", TYPE_ESP, 2 * MIB), PartitionWish("root", TYPE_LINUX, 8 * MIB)], seed="x"
)


def test_contents_are_where_the_plan_says(tmp_path):
    root = tmp_path / "root"
    with root.open("wb") as stream:
        stream.truncate(8 * MIB)
        stream.seek(5 * MIB)
        stream.write(b"deep inside")
    disk = tmp_path / "disk"
    assemble(
        str(disk),
        PLAN,
        [Content([(0, b"first"), (MIB, b"second")]), Content(file=str(root))],
        boot_code=b"code",
    )
    data = disk.read_bytes()
    assert len(data) == 12 * MIB
    assert data[:4] == b"code"
    assert data[512:520] == data[-512:-504] == b"EFI PART"
    assert data[MIB : MIB + 5] == b"first"
    assert data[2 * MIB : 2 * MIB + 6] == b"second"
    assert carve(disk, tmp_path / "copy", PLAN.offset(1), 8 * MIB).read_bytes() == root.read_bytes()
    assert disk.stat().st_blocks * 512 < 4 * MIB
    assert sorted(os.listdir(tmp_path)) == ["copy", "disk", "root"]


def test_what_fails_leaves_nothing_and_touches_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(b"the one before")
    with pytest.raises(FileNotFoundError):
        assemble(str(disk), PLAN, [Content(), Content(file=str(tmp_path / "nowhere"))])
    assert os.listdir(tmp_path) == ["disk"]
    assert disk.read_bytes() == b"the one before"


def test_a_file_of_nothing_but_a_hole_is_nothing(tmp_path):
    hole = tmp_path / "hole"
    hole.write_bytes(b"")
    os.truncate(hole, 8 * MIB)
    assemble(str(tmp_path / "disk"), PLAN, [Content(), Content(file=str(hole))])
    assert not any((tmp_path / "disk").read_bytes()[MIB : 11 * MIB])


OLD = plan_disk(
    [
        PartitionWish("boot", TYPE_BASIC_DATA, 2 * MIB, bootable=True),
        PartitionWish("root", TYPE_LINUX, 8 * MIB),
    ],
    seed="x",
    table="mbr",
    first_mib=4,
)


def test_a_table_of_the_old_kind_and_firmware_before_it(tmp_path):
    disk = tmp_path / "disk"
    contents = [Content([(0, b"fat")]), Content()]
    assemble(str(disk), OLD, contents, firmware=[(128 * 1024, b"loader")])
    data = disk.read_bytes()
    assert data[446] == 0x80
    assert data[450] == 0x0C
    assert data[462] == 0
    assert data[466] == 0x83
    assert int.from_bytes(data[454:458], "little") == 4 * 2048
    assert data[512:520] == bytes(8)
    assert data[128 * 1024 : 128 * 1024 + 6] == b"loader"
    assert data[4 * MIB : 4 * MIB + 3] == b"fat"


@pytest.mark.parametrize(
    ("firmware", "words"),
    [
        ([(256, b"x")], "overlaps the partition table"),
        ([(8192, bytes(5000)), (10240, b"x")], "firmware at 10 KiB overlaps firmware at 8 KiB"),
        ([(4 * MIB - 2, b"xxx")], "within the first partition"),
    ],
)
def test_firmware_overlaps_nothing(tmp_path, firmware, words):
    with pytest.raises(LayoutError, match=words):
        assemble(str(tmp_path / "disk"), OLD, [Content(), Content()], firmware=firmware)
    assert not os.listdir(tmp_path)
