# SPDX-License-Identifier: Apache-2.0
"""Extended attributes as they lie in an image."""

from __future__ import annotations

import pytest

from ostrya.formats.erofs.xattrs import XattrTable, encode_entry, filter_bit, split_name

LABEL = (b"security.selinux", b"system_u:object_r:usr_t:s0\0")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        (b"user.a", (1, b"a")),
        (b"user.", (1, b"")),
        (b"system.posix_acl_access", (2, b"")),
        (b"system.posix_acl_default", (3, b"")),
        (b"trusted.overlay.opaque", (4, b"overlay.opaque")),
        (b"security.selinux", (6, b"selinux")),
        (b"system.nfs4_acl", (0, b"system.nfs4_acl")),
    ],
)
def test_prefixes_become_numbers(name, split):
    assert split_name(name) == split


def test_entries_fill_words():
    assert encode_entry(b"user.ab", b"xyz") == b"\2\1\3\0abxyz\0\0\0"
    assert encode_entry(b"user.a", b"xyz") == b"\1\1\3\0axyz"
    assert encode_entry(b"odd", b"") == b"\3\0\0\0odd\0"


def test_what_two_files_have_is_shared():
    own = (b"user.own", b"1")
    table = XattrTable([(LABEL,), (LABEL, own)])
    assert table.area == encode_entry(*LABEL)
    assert table.body_size((LABEL, own)) == 12 + 4 + len(encode_entry(*own))
    body = table.encode_body((LABEL, own), area_start=4096 + 64)
    assert body[4] == 1
    assert int.from_bytes(body[12:16], "little") * 4 == 64
    assert body[16:] == encode_entry(*own)


def test_the_same_name_with_another_value_is_not_shared():
    assert XattrTable([((b"user.a", b"1"),), ((b"user.a", b"2"),)]).area == b""


def test_no_attributes_take_no_room():
    table = XattrTable([()])
    assert (table.area, table.body_size(()), table.encode_body((), 0)) == (b"", 0, b"")


def test_the_shared_area_is_sorted_backwards_by_name_length_and_value():
    pairs = ((b"user.a", b"z"), (b"user.a", b"aa"), (b"user.b", b""), (b"user.a", b"ab"))
    table = XattrTable([(pair,) for pair in pairs * 2])
    order = ((b"user.b", b""), (b"user.a", b"ab"), (b"user.a", b"aa"), (b"user.a", b"z"))
    assert table.area == b"".join(encode_entry(*pair) for pair in order)


def test_a_file_shares_at_most_128():
    many = tuple((b"user.%03d" % number, b"") for number in range(130))
    body = XattrTable([many, many]).encode_body(many, 0)
    assert body[4] == 128
    assert body[12 + 4 * 128 :] == b"".join(encode_entry(*pair) for pair in many[128:])


def test_the_filter_has_no_bit_of_a_name_that_is_there():
    body = XattrTable([]).encode_body((LABEL,), 0)
    name_filter = int.from_bytes(body[:4], "little")
    assert name_filter == 0xFFFFFFFF & ~filter_bit(LABEL[0])
