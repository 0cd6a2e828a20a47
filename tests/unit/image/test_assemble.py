# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.image.assemble import Content, assemble
from ostrya.image.disk_layout import PartitionWish, plan_disk
from ostrya.image.gpt import TYPE_ESP, TYPE_LINUX
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
