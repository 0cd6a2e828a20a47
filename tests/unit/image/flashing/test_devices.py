# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.image.errors import FlashError
from ostrya.image.flashing.devices import Places, look_at_device

MOUNTS = """\
22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/root rw
23 22 0:21 / /proc rw - proc proc rw
24 22 0:30 / /data rw - btrfs /dev/sdb1 rw
25 22 254:0 / /my\\040disk rw - ext4 /dev/mapper/x rw
broken line
"""


class World:
    """A machine's folders: sda is the system's, others come as tests ask for them."""

    def __init__(self, top):
        self.top = top
        for name in ("dev/block", "class/block"):
            (top / "sys" / name).mkdir(parents=True)
        (top / "mounts").write_text(MOUNTS)
        (top / "swaps").write_text("Filename\t\t\t\tType\n")
        self.places = Places(str(top / "sys"), str(top / "mounts"), str(top / "swaps"))

    def disk(self, name, number, *, bus="pci0000:00", **files):
        folder = self.top / "sys/devices" / bus / "block" / name
        self._add(folder, number, {"removable": "0", "ro": "0", "size": "2048", **files})
        return folder

    def part(self, disk, name, number):
        folder = disk / name
        self._add(folder, number, {"partition": "1", "ro": "0", "size": "1024"})
        return folder

    def _add(self, folder, number, files):
        folder.mkdir(parents=True)
        for name, text in {"dev": number, **files}.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{text}\n")
        (self.top / "sys/dev/block" / number).symlink_to(folder)
        (self.top / "sys/class/block" / folder.name).symlink_to(folder)

    def hold(self, folder, name):
        (folder / "holders").mkdir()
        (folder / "holders" / name).write_text("")

    def look(self, path, number):
        major, minor = map(int, number.split(":"))
        return look_at_device(path, os.makedev(major, minor), self.places)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_stick_says_what_it_is(world):
    world.disk("sdc", "8:32", removable="1", size="61440000", device__model="Ultra ")
    found = world.look("/dev/sdc", "8:32")
    assert found == (
        "/dev/sdc", "sdc", 61440000 * 512, "Ultra", False, True, False, (), (),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "removable"),
    [
        ({}, False),
        ({"bus": "pci0000:00/usb2/2-1/host3"}, True),
        ({"bus": "platform/usbstuff"}, False),
        ({"device__type": "SD"}, True),
        ({"device__type": "MMC"}, False),
    ],
    ids=["disk", "usb", "no-usb", "card", "soldered"],
)
def test_what_can_be_taken_out(world, options, removable):
    world.disk("mmcblk0", "179:0", **options)
    assert world.look("/dev/mmcblk0", "179:0").is_removable is removable


def test_the_disk_of_the_running_system_by_its_partition(world):
    world.part(world.disk("sda", "8:0"), "sda2", "8:2")
    found = world.look("/dev/sda", "8:0")
    assert found.mounts == ("/",)
    assert found.is_system
    assert world.look("/dev/sda2", "8:2").is_partition


def test_mounts_that_only_their_name_tells(world):
    world.part(world.disk("sdb", "8:16"), "sdb1", "8:17")
    assert world.look("/dev/sdb", "8:16").mounts == ("/data",)


def test_what_is_built_on_a_partition_uses_its_disk(world):
    part = world.part(world.disk("sdd", "8:48"), "sdd1", "8:49")
    world.disk("dm-0", "254:0", bus="virtual")
    world.hold(part, "dm-0")
    found = world.look("/dev/sdd", "8:48")
    assert found.mounts == ("/my disk",)
    assert found.uses == ("dm-0",)


def test_swap_is_a_use(world):
    (world.top / "swaps").write_text("Filename Type\n/dev/sde partition 1 2 3\n")
    world.disk("sde", "8:64", ro="1", device__name="XY128")
    found = world.look("/dev/sde", "8:64")
    assert found.uses == ("swap",)
    assert found.is_read_only
    assert found.model == "XY128"


def test_a_device_that_nobody_knows(world):
    with pytest.raises(FlashError, match="does not know"):
        world.look("/dev/x", "9:9")
