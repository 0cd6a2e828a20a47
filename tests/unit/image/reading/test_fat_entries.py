# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct

from ostrya.image.fat_names import Names, encode_name
from ostrya.image.reading.fat_entries import decode_entries


def entry(short, attributes=0, *, cluster=0, size=0, lower=0, time=0, date=0):
    return struct.pack(
        "<11sBBB6xHHHHI",
        short,
        attributes,
        lower,
        0,
        cluster >> 16,
        time,
        date,
        cluster & 0xFFFF,
        size,
    )


def named(name, **fields):
    short, long = encode_name(name, Names())
    return long + entry(short, **fields)


def names(table):
    return [one.name for one in decode_entries(table)]


def test_long_names_short_names_and_capitals():
    table = (
        named("a long name.txt", size=7)
        + entry(b"KERNEL  IMG", lower=0x18)
        + entry(b"\x05BC        ")
    )
    assert names(table) == ["a long name.txt", "kernel.img", "σBC"]
    first = next(decode_entries(table))
    assert (first.size, first.first, first.at) == (7, 0, 64)


def test_times_and_clusters():
    one = next(decode_entries(entry(b"F          ", cluster=0x12345, time=0x6000, date=0x5A21)))
    assert one.cluster == 0x12345
    assert one.mtime == 1735732800
    assert next(decode_entries(entry(b"F          ", date=0xFFFF))).mtime == 0


def test_long_names_that_belong_to_nothing_are_left_out():
    long = named("a long name.txt")[:64]
    # Its short name is another's.
    assert names(long + entry(b"OTHER      ")) == ["OTHER"]
    # A part of it is missing.
    short, parts = encode_name("a long name.txt", Names())
    assert names(parts[:32] + entry(short)) == ["ALONGN~1.TXT"]


def test_what_is_gone_what_is_behind_the_end_and_dots_are_left_out():
    table = entry(b"\xe5ONE       ") + entry(b".          ", 0x10) + entry(b"A          ")
    assert names(table + bytes(32) + entry(b"B          ")) == ["A"]
    assert names(entry(b"A/B        ")) == []
    assert names(b"short") == []
