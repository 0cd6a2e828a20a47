# SPDX-License-Identifier: Apache-2.0
"""Commits: fields, checks, size entries and bindings."""

from __future__ import annotations

import hashlib

import pytest

from ostrya.errors import FormatError
from ostrya.formats.commit import (
    COMMIT_TYPE,
    Commit,
    SizeEntry,
    collection_binding,
    content_checksum,
    decode_sizes,
    encode_sizes,
    ref_bindings,
)
from ostrya.formats.errors import GVariantError, ObjectFormatError
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectType

EMPTY_TREE = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
PLAIN = Commit(VarDict(), None, (), "", "", 0, EMPTY_TREE, "b" * 64)


@pytest.fixture(scope="module")
def commits(objects):
    return {checksum: Commit.decode(data) for checksum, data in objects("commit").items()}


def test_vectors(objects, commits):
    for checksum, data in objects("commit").items():
        assert commits[checksum].encode() == data
        assert hashlib.sha256(data).hexdigest() == checksum


def test_the_smallest(commits):
    (commit,) = (c for c in commits.values() if c.timestamp == 0)
    assert commit == PLAIN._replace(root_metadata=commit.root_metadata)


def test_the_one_with_sizes(commits):
    (commit,) = (c for c in commits.values() if c.timestamp == 1234567890)
    assert commit.subject == "First: ünïcode"
    assert commit.body == "A body\nof two lines."
    assert commit.metadata.lookup("version", "s") == "1.0"
    sizes = decode_sizes(commit.metadata)
    assert encode_sizes(reversed(sizes)) == commit.metadata.get("ostree.sizes")
    assert len(sizes) == 13
    assert {entry.type for entry in sizes} == {
        ObjectType.FILE, ObjectType.DIR_TREE, ObjectType.DIR_META,
    }  # fmt: skip
    (widest,) = (entry for entry in sizes if entry.unpacked == 77404)
    assert widest.type is ObjectType.DIR_TREE
    assert widest.archived == 77404


def test_the_one_with_metadata(commits):
    (commit,) = (c for c in commits.values() if c.parent)
    assert commit.parent in commits
    assert commit.timestamp == 2_000_000_000
    assert commit.metadata.lookup("example.dict", "a{sv}") == VarDict.of(
        {"a": Variant("u", 1), "b": Variant("ay", b"\1\2")}
    )
    assert commit.metadata.lookup("example.list", "a(smi)") == (("x", None), ("y", 5))
    assert commit.metadata.lookup("example.double", "d") == 1.5
    # Twice: the branch, and --bind-ref of the same name.
    assert ref_bindings(commit.metadata) == ("full", "full", "other")
    assert collection_binding(commit.metadata) == "org.example.Vectors"
    assert decode_sizes(commit.metadata) is None


def test_content_checksum():
    raw = bytes.fromhex(PLAIN.root_contents + PLAIN.root_metadata)
    assert content_checksum(PLAIN) == hashlib.sha256(raw).hexdigest()
    assert content_checksum(PLAIN._replace(timestamp=5)) == content_checksum(PLAIN)


def test_related_objects():
    commit = PLAIN._replace(related=(("other", "c" * 64),))
    assert Commit.decode(commit.encode()) == commit


@pytest.mark.parametrize("timestamp", [0, 1, 2**32, 2**63 - 1, -1, -(2**63)])
def test_times(timestamp):
    commit = PLAIN._replace(timestamp=timestamp)
    assert Commit.decode(commit.encode()) == commit
    assert timestamp.to_bytes(8, "big", signed=True) in commit.encode()


@pytest.mark.parametrize("timestamp", [-(2**63) - 1, 2**63])
def test_times_that_do_not_fit(timestamp):
    with pytest.raises(ObjectFormatError, match="Invalid commit time"):
        PLAIN._replace(timestamp=timestamp).encode()


def test_order_and_doubles_of_metadata_are_kept():
    metadata = VarDict((("z", Variant("u", 1)), ("a", Variant("u", 2)), ("z", Variant("s", "x"))))
    commit = PLAIN._replace(metadata=metadata)
    assert Commit.decode(commit.encode()).metadata == metadata


RAW = bytes(32)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((VarDict.of({"": Variant("s", "")}), b"", (), "", "", 0, RAW, RAW), "Empty metadata key"),
        (
            (VarDict(), b"x", (), "", "", 0, RAW, RAW),
            "Invalid commit parent: Invalid checksum of length 1 expected 32",
        ),
        (
            (VarDict(), b"", (), "", "", 0, b"", RAW),
            "Invalid commit tree content checksum: Invalid checksum of length 0 expected 32",
        ),
        (
            (VarDict(), b"", (), "", "", 0, RAW, RAW + RAW),
            "Invalid commit tree metadata checksum: Invalid checksum of length 64 expected 32",
        ),
        (
            (VarDict(), b"", (("a", b""),), "", "", 0, RAW, RAW),
            "Invalid related object: Invalid checksum of length 0 expected 32",
        ),
    ],
)
def test_fields_that_make_no_sense(fields, sentence):
    with pytest.raises(ObjectFormatError) as caught:
        Commit.decode(encode_variant(COMMIT_TYPE, fields))
    assert caught.value.message == sentence


def test_an_empty_key_is_not_written():
    with pytest.raises(ObjectFormatError, match="Empty metadata key"):
        PLAIN._replace(metadata=VarDict.of({"": Variant("s", "")})).encode()


def test_a_value_of_another_type_is_not_written():
    with pytest.raises(GVariantError):
        PLAIN._replace(metadata=VarDict.of({"k": Variant("u", "text")})).encode()


def test_cut_anywhere():
    data = PLAIN.encode()
    for size in range(len(data)):
        with pytest.raises(FormatError):
            Commit.decode(data[:size])
    with pytest.raises(FormatError):
        Commit.decode(data + b"\0")


def entries(*raw: bytes) -> VarDict:
    return VarDict.of({"ostree.sizes": Variant("aay", raw)})


def test_sizes_of_old_commits_are_of_files():
    assert decode_sizes(entries(RAW + b"\x05\xac\x02")) == (
        SizeEntry("0" * 64, ObjectType.FILE, 300, 5),
    )


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "Unexpected EOF reading ostree.sizes varint"),
        (RAW, "Unexpected EOF reading ostree.sizes varint"),
        (RAW + b"\x01", "Unexpected EOF reading ostree.sizes varint"),
        (RAW + b"\x01\x80", "Unexpected EOF reading ostree.sizes varint"),
        (RAW + b"\1\1\0", "Unexpected ostree.sizes object type 0"),
        (RAW + b"\1\1\x0a", "Unexpected ostree.sizes object type 10"),
    ],
)
def test_sizes_that_make_no_sense(raw, sentence):
    with pytest.raises(ObjectFormatError) as caught:
        decode_sizes(entries(raw))
    assert caught.value.message == sentence


def test_bindings():
    bound = VarDict.of(
        {
            "ostree.ref-binding": Variant("as", ("a", "b")),
            "ostree.collection-binding": Variant("s", "org.example.Os"),
        }
    )
    assert ref_bindings(bound) == ("a", "b")
    assert collection_binding(bound) == "org.example.Os"
    assert ref_bindings(VarDict()) is None
    assert collection_binding(VarDict()) is None
