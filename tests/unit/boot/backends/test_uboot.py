# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.backends.uboot import make_uenv
from ostrya.boot.bls import Entry

FULL = Entry(
    {"linux": "/k", "initrd": "/i", "devicetree": "/d", "fdtdir": "/f", "options": "a b"}, ("/o",)
)


def test_every_key():
    assert make_uenv([FULL], None) == (
        "kernel_image=/boot/k\nramdisk_image=/boot/i\nfdt_file=/boot/d\nfdtdir=/boot/f\n"
        "bootargs=a b\n"
    )


def test_several():
    text = make_uenv(
        [Entry({"linux": "/1", "options": "x"}), FULL, Entry({"linux": "/3"})], "own=1"
    )
    assert text == (
        "kernel_image=/boot/1\nbootargs=x\nown=1\n"
        "kernel_image2=/boot/k\nramdisk_image2=/boot/i\nfdt_file2=/boot/d\nfdtdir2=/boot/f\n"
        "bootargs2=a b\nkernel_image3=/boot/3\n"
    )


def test_none():
    assert make_uenv([], None) == ""
