# SPDX-License-Identifier: Apache-2.0
import struct

import pytest

from ostrya.image.errors import SourceError
from ostrya.image.ext4.attributes import encode_block, encode_in_inode, split_attributes


def test_few_are_behind_the_inode_and_many_in_a_block():
    small = ((b"user.a", b"1"),)
    inside, outside = split_attributes(small)
    assert outside == ()
    assert len(encode_in_inode(inside)) <= 96
    large = (*small, (b"security.selinux", b"x" * 200))
    inside, outside = split_attributes(large)
    assert inside == ()
    assert encode_in_inode(inside) == b""
    assert [one.prefix for one in outside] == [1, 6]
    block = encode_block(outside, 5, 0)
    assert len(block) == 4096
    assert struct.unpack_from("<III", block) == (0xEA020000, 1, 1)
    assert encode_block(outside, 6, 0) != block


def test_names_may_end_as_in_an_object():
    assert split_attributes(((b"user.a\0", b"1"),)) == split_attributes(((b"user.a", b"1"),))


def test_access_lists_have_a_form_of_their_own():
    entries = [
        (1, 7, 0xFFFFFFFF),
        (2, 5, 1000),
        (4, 5, 0xFFFFFFFF),
        (0x10, 7, 0xFFFFFFFF),
        (0x20, 0, 0xFFFFFFFF),
    ]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)
    (one,), _ = split_attributes(((b"system.posix_acl_access", value),))
    assert (one.prefix, one.name) == (2, b"")
    assert one.value == struct.pack("<IHHHHIHHHHHH", 1, 1, 7, 2, 5, 1000, 4, 5, 0x10, 7, 0x20, 0)


@pytest.mark.parametrize(
    ("xattrs", "words"),
    [
        (((b"user.a", bytes(5000)),), "larger than ext4 can hold"),
        (((b"strange.a", b""),), "no extended attribute strange.a"),
        (((b"system.posix_acl_access", b"\1\0\0\0"),), "access list is damaged"),
    ],
)
def test_what_cannot_be(xattrs, words):
    with pytest.raises(SourceError, match=words):
        split_attributes(xattrs)
