# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya._linux.mount_table import Mount, parse_mountinfo, read_mounts


def test_a_table():
    data = (
        b"27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard\n"
        b"66 27 7:1 / /media/my\\040\\134stick rw - vfat /dev/sda1 rw\n"
        b"67 27 0:9 /x /media/\xff rw - fuse.x a\\040b rw\n"
    )
    assert parse_mountinfo(data) == (
        Mount("/", "ext4", "/dev/vda"),
        Mount("/media/my \\stick", "vfat", "/dev/sda1"),
        Mount("/media/\udcff", "fuse.x", "a b"),
    )


def test_lines_that_are_none():
    assert parse_mountinfo(b"") == ()
    assert parse_mountinfo(b"\n27 1\n27 1 254:0 / / rw - ext4\n1 2 - ext4 /dev/x rw\n") == ()


def test_this_machine():
    assert "/" in {mount.path for mount in read_mounts()}
