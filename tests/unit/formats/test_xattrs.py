# SPDX-License-Identifier: Apache-2.0
"""Extended attributes: order, names, and their bytes at the borders of offset sizes."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import GVariantError, ObjectFormatError
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.xattrs import (
    canonical_xattrs,
    check_xattrs,
    decode_xattrs,
    encode_xattrs,
)


def generic(pairs) -> bytes:
    """The same by the general codec."""
    return encode_variant("a(ayay)", tuple((name + b"\0", value) for name, value in pairs))


SIZES = [0, 1, 200, 245, 246, 247, 248, 249, 250, 65520, 65525, 65526, 65527, 65528, 65529, 70000]


@pytest.mark.parametrize("size", SIZES)
def test_values_of_all_sizes(size):
    pairs = ((b"user.a", bytes(size)), (b"user.b", b"v"))
    data = encode_xattrs(pairs)
    assert data == generic(pairs)
    assert decode_xattrs(data) == pairs


@pytest.mark.parametrize("count", [0, 1, 10, 22, 23, 24, 25, 5000])
def test_many(count):
    pairs = tuple((b"n%04d" % n, b"value") for n in range(count))
    data = encode_xattrs(pairs)
    assert data == generic(pairs)
    assert decode_xattrs(data) == pairs


def test_canonical_sorts_by_bytes():
    pairs = [(b"user.b", b"2"), (b"user.\xff", b"3"), (b"user.B", b"1")]
    assert canonical_xattrs(pairs) == ((b"user.B", b"1"), (b"user.b", b"2"), (b"user.\xff", b"3"))
    assert check_xattrs(canonical_xattrs(pairs)) == canonical_xattrs(pairs)


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([(b"", b"v")], "Invalid xattr name (empty or missing NUL) index=0"),
        ([(b"a", b""), (b"b\0c", b"v")], "Invalid xattr name (empty or missing NUL) index=1"),
        ([(b"a", b"1"), (b"a", b"2")], "Duplicate xattr name, index=1"),
    ],
)
def test_what_cannot_be_made_canonical(pairs, sentence):
    with pytest.raises(ObjectFormatError) as caught:
        canonical_xattrs(pairs)
    assert caught.value.message == sentence


def test_out_of_order():
    data = generic([(b"b", b""), (b"a", b"")])
    with pytest.raises(ObjectFormatError) as caught:
        decode_xattrs(data)
    assert caught.value.message == "Incorrectly sorted xattr name (prev=b, cur=a), index=1"


@pytest.mark.parametrize("name", [b"", b"a", b"a\0b", b"a\0b\0"])
def test_names_without_their_one_nul(name):
    data = encode_variant("a(ayay)", ((name, b"value"),))
    with pytest.raises(ObjectFormatError, match="empty or missing NUL"):
        decode_xattrs(data)


@pytest.mark.parametrize(
    "data",
    [b"\0", b"\1", b"a\0\2\4", b"a\0\2\3\3", b"a\0\2\1\3", b"a\0\3\3", b"a\0v\2\4\4\0", bytes(300)],
)
def test_not_normal(data):
    with pytest.raises((GVariantError, ObjectFormatError)):
        decode_xattrs(data)
