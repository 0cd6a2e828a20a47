# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat

import pytest

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs import cpio


def packed(*entries: cpio.CpioEntry) -> bytes:
    return b"".join(cpio.encode_cpio(entries))


def test_the_bytes_of_one_file():
    data = packed(cpio.file("a", b"xy", 0o755))
    head = (
        b"070701" b"00000001" b"000081ED" b"00000000" b"00000000" b"00000001" b"00000000" b"00000002"
        b"00000000" b"00000000" b"00000000" b"00000000" b"00000002" b"00000000"
    )  # fmt: skip
    assert data.startswith(head + b"a\0" + b"xy\0\0" + b"070701" + b"0" * 8)
    assert data.endswith(b"TRAILER!!!\0\0\0\0")
    assert len(data) % 4 == 0


def test_the_order_is_that_of_names_and_parents_come_by_themselves():
    entries = [cpio.file("usr/bin/x", b""), cpio.link("b", "usr"), cpio.directory("usr", 0o700)]
    names = [entry.path for entry in cpio.arrange(entries)]
    assert names == ["b", "usr", "usr/bin", "usr/bin/x"]
    assert {entry.path: stat.S_IMODE(entry.mode) for entry in cpio.arrange(entries)}["usr"] == 0o700
    assert packed(*entries) == packed(*reversed(entries))


@pytest.mark.parametrize("path", ["", "/a", "a//b", "../a", "a/./b", "TRAILER!!!", "a\0b"])
def test_names_that_are_none(path):
    with pytest.raises(InitramfsError, match="is no name"):
        packed(cpio.file(path, b""))


def test_what_comes_twice_must_be_the_same():
    packed(cpio.directory("a"), cpio.directory("a"))
    with pytest.raises(InitramfsError, match="'a' comes twice"):
        packed(cpio.file("a", b"1"), cpio.file("a", b"2"))


def test_nothing_is_below_a_file():
    with pytest.raises(InitramfsError, match="'a/b' is below 'a', which is no directory"):
        packed(cpio.link("a", "c"), cpio.file("a/b", b""))


def test_a_device():
    entry = cpio.character_device("console", 5, 1)
    assert b"00002180" in packed(entry)
    assert b"0000000500000001" in packed(entry)
