# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.reading.ext4 import Ext4
from ostrya.image.reading.ext4_attributes import read_attributes


def test_attributes_in_the_inode_and_outside(make_ext4, open_source, tree):
    big = "v" * 600
    commands = (
        "ea_set small user.one 1", f"ea_set small user.big {big}",
        "ea_set small security.selinux label", "ea_set small trusted.t t",
    )  # fmt: skip
    files = Ext4(open_source(make_ext4(tree, commands=commands)))
    entry = files.find(files.root(), "small")
    assert files.xattrs(entry) == (
        (b"security.selinux", b"label"), (b"trusted.t", b"t"), (b"user.big", big.encode()),
        (b"user.one", b"1"),
    )  # fmt: skip
    assert files.xattrs(files.find(files.root(), "empty")) == ()


def inode(entries, *, magic=0xEA020000):
    raw = bytearray(256)
    struct.pack_into("<H", raw, 128, 32)
    struct.pack_into("<I", raw, 160, magic)
    raw[164 : 164 + len(entries)] = entries
    return bytes(raw)


def entry(prefix, name, value_at, size, number=0):
    return struct.pack("<BBHIII", len(name), prefix, value_at, number, size, 0) + name


def test_access_control_lists_are_as_programs_have_them():
    # u::rw-, u:7:r--, g::r--, m::r--, o::---
    short = struct.pack("<I HH HHI HH HH HH", 1, 1, 6, 2, 4, 7, 4, 4, 16, 4, 32, 0)
    raw = bytearray(inode(entry(2, b"", 40, len(short))))
    raw[164 + 40 : 164 + 40 + len(short)] = short
    none = 0xFFFFFFFF
    long = struct.pack(
        "<I" + "HHI" * 5, 2, 1, 6, none, 2, 4, 7, 4, 4, none, 16, 4, none, 32, 0, none
    )
    assert read_attributes(None, bytes(raw), 12) == ((b"system.posix_acl_access", long),)


@pytest.mark.parametrize(
    "raw",
    [
        inode(entry(1, b"a", 80, 50)),
        inode(entry(1, b"a", 0, 1, number=5)),
        inode(struct.pack("<BBHIII", 255, 1, 0, 0, 0, 0)),
        inode(entry(2, b"", 40, 6)),
    ],
    ids=["value", "inode", "name", "acl"],
)
def test_what_is_damaged_is_an_error(raw):
    with pytest.raises(DiskError, match="attributes of inode 12 are damaged"):
        read_attributes(None, raw, 12)


def test_what_is_no_attribute_is_none():
    assert read_attributes(None, inode(b"\1" * 40, magic=5), 12) == ()
    assert read_attributes(None, bytes(128), 12) == ()
