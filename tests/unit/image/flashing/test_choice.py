# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.image.errors import FlashError
from ostrya.image.flashing.choice import check_device
from ostrya.image.flashing.devices import Device

STICK = Device("/dev/sdc", "sdc", 1 << 30, "Ultra", False, True, False, (), ())


def test_a_stick_is_fine():
    check_device(STICK, 1 << 30, allow_fixed=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mounts": ("/", "/boot")}, r"running system is on /dev/sdc \(Ultra\)"),
        ({"mounts": ("/media/x",)}, "mounted at /media/x"),
        ({"uses": ("swap", "dm-0")}, "in use: swap, dm-0"),
        ({"is_partition": True}, "is a partition"),
        ({"is_read_only": True}, "is read-only"),
        ({"size_bytes": 0, "model": ""}, "/dev/sdc has no medium"),
        ({"is_removable": False}, "cannot be taken out"),
        ({"size_bytes": 100}, "has room for 100"),
    ],
)
def test_others_are_not(change, words):
    with pytest.raises(FlashError, match=words):
        check_device(STICK._replace(**change), 1 << 30, allow_fixed=False)


def test_a_disk_is_fine_if_that_is_asked_for():
    check_device(STICK._replace(is_removable=False), 0, allow_fixed=True)
