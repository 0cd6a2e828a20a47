# SPDX-License-Identifier: Apache-2.0
"""Checksums: what is one, its spellings, and sets of many."""

from __future__ import annotations

import hashlib
import sys

import pytest

from ostrya.formats.checksum import (
    DigestSet,
    PackedSet,
    check_checksum,
    from_modified_base64,
    from_raw,
    is_checksum,
    quash,
    to_modified_base64,
    to_raw,
)
from ostrya.formats.errors import ObjectFormatError

FOO = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"


def numbered(count: int):
    """So many different checksums."""
    return [hashlib.sha256(b"%d" % n).hexdigest() for n in range(count)]


def test_foo_is_a_checksum():
    assert is_checksum(FOO)
    assert check_checksum(FOO) == FOO


@pytest.mark.parametrize(
    "text",
    ["", "abc", FOO[:-1], FOO + "0", FOO.upper(), FOO[:-1] + "g", FOO[:-2] + "é0", " " * 64,
     FOO[:62] + " a", "\n" + FOO[1:], "0x" + FOO[2:]],
)  # fmt: skip
def test_what_is_no_checksum(text):
    assert not is_checksum(text)
    with pytest.raises(ObjectFormatError):
        check_checksum(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("GARBAGE", "Invalid rev GARBAGE"),
        ("lots\nof html " * 20, "Invalid rev " + ("lots of html " * 20)[:64]),
        ("é" * 33, "Invalid rev " + "é" * 32),
        ("g" * 64, f"Invalid character '103' in rev '{'g' * 64}'"),
        (FOO.upper(), f"Invalid character '67' in rev '{FOO.upper()}'"),
        ("a" * 63 + "\udcff", f"Invalid character '239' in rev '{'a' * 63}�'"),
        ("a" * 63 + "é", f"Invalid character '195' in rev '{'a' * 63}é'"),
    ],
)
def test_sentences_are_those_of_libostree(text, sentence):
    with pytest.raises(ObjectFormatError) as caught:
        check_checksum(text)
    assert caught.value.message == sentence


def test_quash_takes_surrogates():
    assert quash("a\udcff\ud800") == "a��"


def test_raw_and_back():
    assert to_raw(FOO).hex() == FOO
    assert from_raw(to_raw(FOO)) == FOO


@pytest.mark.parametrize("size", [0, 31, 33])
def test_raw_of_another_size(size):
    with pytest.raises(ObjectFormatError, match=f"Invalid checksum of length {size} expected 32"):
        from_raw(bytes(size))


def test_modified_base64():
    spelled = to_modified_base64(FOO)
    assert spelled == "LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564"
    assert from_modified_base64(spelled) == FOO


@pytest.mark.parametrize(
    "text",
    ["", "A" * 42, "A" * 44, "A" * 42 + "=", "/" + "A" * 42, "A" * 42 + "B", "é" + "A" * 42,
     "A" * 42 + "\n", "*" + "A" * 42],
)  # fmt: skip
def test_what_is_no_modified_base64(text):
    with pytest.raises(ObjectFormatError, match="Invalid base64 checksum"):
        from_modified_base64(text)


def test_set_of_digests():
    sums = numbered(5000)
    found = DigestSet()
    assert len(found) == 0
    assert sums[0] not in found
    assert all(found.add(s) for s in sums)
    assert not any(found.add(s) for s in sums)
    assert len(found) == 5000
    assert all(s in found for s in sums)
    assert not any(s in found for s in numbered(5100)[5000:])
    assert sorted(found) == sorted(sums)


def test_set_of_digests_without_some():
    sums = numbered(300)
    found = DigestSet()
    for s in sums:
        found.add(s)
    assert all(found.discard(s) for s in sums[:100])
    assert not found.discard(sums[0])
    assert sorted(found) == sorted(sums[100:])
    assert len(found) == 200


def test_members_that_lie_across_others_are_not_found():
    """Two members end to end spell a third, which is not there."""
    found = PackedSet(6)
    found.add(b"ppABCD")
    found.add(b"ppABAB")
    assert b"ppCDAB" not in found
    assert found.add(b"ppCDAB")
    assert not found.discard(b"ppBCDA")
    assert len(found) == 3
    assert not found.discard(b"qqABCD")


def test_a_million_digests_are_small():
    """Bytes, not time: buckets and their dictionary stay under 64 MB for a million members."""
    packed = PackedSet(32)
    count = 100_000
    for n in range(count):
        packed.add(hashlib.sha256(b"%d" % n).digest())
    buckets = packed._buckets
    fixed = sys.getsizeof(buckets) + sum(sys.getsizeof(key) for key in buckets)
    shells = len(buckets) * sys.getsizeof(bytearray())
    grown = sum(sys.getsizeof(bucket) for bucket in buckets.values())
    per_member = (grown - shells) / count
    assert fixed + 65536 * sys.getsizeof(bytearray()) + per_member * 1_000_000 < 64 * 1024 * 1024
