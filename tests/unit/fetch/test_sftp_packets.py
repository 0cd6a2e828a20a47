# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fetch.errors import SftpError
from ostrya.fetch.sftp_packets import (
    NO_ATTRS,
    Attrs,
    Fields,
    Kind,
    Packet,
    mode_attrs,
    packet,
    string,
    u32,
    u64,
)


def test_a_request():
    data = packet(Kind.OPEN, 7, string("a/é"), u32(9), NO_ATTRS)
    assert data == bytes.fromhex("00000015 03 00000007 00000004 612fc3a9 00000009 00000000".replace(" ", ""))  # fmt: skip
    came = Packet.decode(data[4:])
    assert came[:2] == (Kind.OPEN, 7)
    fields = Fields(came.body)
    assert fields.string().decode() == "a/é"
    assert (fields.u32(), fields.attrs()) == (9, Attrs())
    assert fields.is_empty


def test_names_that_are_no_utf8():
    assert string("a\udcff") == b"\0\0\0\2a\xff"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (NO_ATTRS, Attrs()),
        (mode_attrs(0o100644), Attrs(mode=0o100644)),
        (u32(1) + u64(1 << 40), Attrs(size=1 << 40)),
        (
            u32(0x8000000F) + u64(5) + u32(1) + u32(2) + u32(0o644) + u32(3) + u32(4) + u32(1) + string("x") + string("y"),
            Attrs(5, 0o644, 4),
        ),
    ],
    ids=["none", "mode", "size", "all"],
)  # fmt: skip
def test_attributes(data, expected):
    fields = Fields(data)
    assert fields.attrs() == expected
    assert fields.is_empty


@pytest.mark.parametrize("data", [b"", b"\0\0\0", u32(5) + b"abc", u32(1)])
def test_what_ends_too_early(data):
    with pytest.raises(SftpError):
        Packet.decode(data[:4])
    with pytest.raises(SftpError):
        Fields(data).string()
