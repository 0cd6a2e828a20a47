# SPDX-License-Identifier: Apache-2.0
"""Entries of directories: the hot codec against the general one, and names that must not pass."""

from __future__ import annotations

import hashlib

import pytest

from ostrya.formats import dirtree
from ostrya.formats.dirtree import DirTree, check_filename
from ostrya.formats.errors import GVariantError, ObjectFormatError
from ostrya.formats.gvariant.encode import encode_variant
from support.memory import memory_growth

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
TYPE = "(a(say)a(sayay))"


def generic(files, dirs) -> bytes:
    """The same by the general codec, unchecked."""
    raw = bytes.fromhex
    return encode_variant(
        TYPE,
        (
            tuple((name, raw(content)) for name, content in files),
            tuple((name, raw(tree), raw(meta)) for name, tree, meta in dirs),
        ),
    )


def test_vectors(objects):
    trees = {}
    for checksum, data in objects("dirtree").items():
        trees[checksum] = DirTree.decode(data)
        assert trees[checksum].encode() == data
        assert hashlib.sha256(data).hexdigest() == checksum
    assert sorted((len(t.files), len(t.dirs)) for t in trees.values()) == [
        (0, 0), (4, 5), (8, 0), (11, 10), (1800, 0),
    ]  # fmt: skip
    (root,) = (t for t in trees.values() if len(t.dirs) == 5)
    assert [name for name, _ in root.files] == ["file", "link", "long-link", "program"]
    assert [name for name, *_ in root.dirs] == ["empty", "names", "sticky", "very-wide", "wide"]
    (names,) = (t for t in trees.values() if len(t.dirs) == 10)
    assert [len(name) for name, _ in names.files] == [
        1,
        188,
        189,
        190,
        220,
        221,
        222,
        223,
        250,
        255,
        5,
    ]
    assert names.files[-1][0] == "ünï→𝄞"


def test_an_empty_directory_is_one_byte():
    assert DirTree().encode() == b"\0"
    assert DirTree.decode(b"\0") == DirTree()


@pytest.mark.parametrize(
    "length", [1, 2, 187, 188, 189, 190, 220, 221, 222, 223, 255, 256, 65400, 65500, 65600]
)
def test_names_of_all_lengths(length):
    files = (("n" * length, A),)
    dirs = (("d" * length, B, C),)
    for tree in (DirTree(files), DirTree((), dirs), DirTree(files, dirs)):
        data = tree.encode()
        assert data == generic(tree.files, tree.dirs)
        assert DirTree.decode(data) == tree


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 8, 1700, 1770, 1771, 1772, 1773, 1780, 3000])
def test_directories_of_all_sizes(count):
    """Around 255 and 65,535 bytes the offsets of the arrays grow."""
    files = tuple((f"{n:04d}", A) for n in range(count))
    dirs = tuple((f"d{n:04d}", B, C) for n in range(count))
    for tree in (DirTree(files), DirTree((), dirs), DirTree(files, dirs)):
        data = tree.encode()
        assert data == generic(tree.files, tree.dirs)
        assert DirTree.decode(data) == tree


def test_order_is_that_of_bytes():
    names = ["A", "_", "a", "a.b", "a0", "z", "é", "→", "\ue000", "\U0001f600"]
    tree = DirTree(tuple((name, A) for name in names))
    assert DirTree.decode(tree.encode()) == tree
    assert names == sorted(names, key=str.encode)


BAD_NAMES = [
    ("", "Invalid empty filename"),
    (".", "Invalid self-referential filename '.'"),
    ("..", "Invalid path uplink filename '..'"),
    ("../afile", "Invalid / in filename ../afile"),
    ("a/b", "Invalid / in filename a/b"),
    ("/", "Invalid / in filename /"),
]


@pytest.mark.parametrize(("name", "sentence"), BAD_NAMES)
@pytest.mark.parametrize("others", [(), ("zzz",)])
def test_names_that_must_not_pass(name, sentence, others):
    files = tuple((n, A) for n in (name, *others))
    dirs = tuple((n, A, B) for n in (name, *others))
    for attempt in (
        lambda: DirTree.decode(generic(files, ())),
        lambda: DirTree.decode(generic((), dirs)),
        lambda: DirTree(files).encode(),
        lambda: DirTree((), dirs).encode(),
        lambda: check_filename(name),
    ):
        with pytest.raises(ObjectFormatError) as caught:
            attempt()
        assert caught.value.message == sentence


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("a\0b", "Invalid NUL in filename"), ("a\udcff", "Invalid UTF-8 in filename a�")],
)
def test_names_that_cannot_be_written(name, sentence):
    for attempt in (lambda: check_filename(name), lambda: DirTree(((name, A),)).encode()):
        with pytest.raises(ObjectFormatError) as caught:
            attempt()
        assert caught.value.message == sentence


@pytest.mark.parametrize(
    ("files", "dirs", "sentence"),
    [
        ([("b", A), ("a", A)], [], "Incorrectly sorted filename (prev=b, cur=a)"),
        ([("a", A), ("a", B)], [], "Duplicate filename a"),
        ([], [("b", A, B), ("a", A, B)], "Incorrectly sorted filename (prev=b, cur=a)"),
        ([("b", A), ("c", A)], [("a", A, B), ("c", A, B)], "Duplicate filename c"),
    ],
)
def test_order_and_doubles(files, dirs, sentence):
    for attempt in (
        lambda: DirTree.decode(generic(files, dirs)),
        lambda: DirTree(tuple(files), tuple(dirs)).encode(),
    ):
        with pytest.raises(ObjectFormatError) as caught:
            attempt()
        assert caught.value.message == sentence


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64, 300])
def test_checksums_of_another_size(size):
    files = encode_variant(TYPE, ((("a", bytes(size)),), ()))
    trees = encode_variant(TYPE, ((), (("a", bytes(size), bytes(32)),)))
    metas = encode_variant(TYPE, ((), (("a", bytes(32), bytes(size)),)))
    for data in (files, trees, metas):
        with pytest.raises(
            ObjectFormatError, match=f"Invalid checksum of length {size} expected 32"
        ):
            DirTree.decode(data)


@pytest.mark.parametrize("digits", ["", "a" * 63, "a" * 62, "g" * 64, "a" * 66])
def test_checksums_that_cannot_be_written(digits):
    with pytest.raises(ObjectFormatError, match="Invalid checksum of entry name"):
        DirTree((("name", digits),)).encode()
    with pytest.raises(ObjectFormatError, match="Invalid checksum of entry name"):
        DirTree((), (("name", A, digits),)).encode()


GOOD = DirTree((("a", A), ("b", B)), (("c", A, B),)).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1",
        b"\0\0",
        b"\0\1",
        GOOD[:-1],
        GOOD + b"\0",
        GOOD[:-1] + b"\xff",
        b"\0" + GOOD,
        GOOD.replace(b"a\0", b"a\1"),
        GOOD.replace(b"b\0", b"\xff\0"),
        bytes(256),
        bytes(65536),
    ],
)
def test_not_normal(data):
    with pytest.raises(GVariantError, match="Not normal form"):
        DirTree.decode(data)


def test_every_byte_counts():
    """No byte can change without the value changing too, or an error."""
    tree = DirTree.decode(GOOD)
    for at in range(len(GOOD)):
        for flip in (1, 0x80):
            changed = bytearray(GOOD)
            changed[at] ^= flip
            try:
                other = DirTree.decode(bytes(changed))
            except (GVariantError, ObjectFormatError):
                continue
            assert other != tree
            assert other.encode() == bytes(changed)


@pytest.mark.parametrize("kind", ["files", "dirs"])
def test_more_entries_than_there_may_be(monkeypatch, kind):
    names = [f"{n:06d}" for n in range(20_001)]
    entries = tuple((name, A) if kind == "files" else (name, A, B) for name in names)
    data = DirTree(**{kind: entries}).encode()
    monkeypatch.setattr(dirtree, "MAX_ENTRIES", len(entries))
    assert DirTree.decode(data).encode() == data
    monkeypatch.setattr(dirtree, "MAX_ENTRIES", len(entries) - 1)
    for deed in (lambda: DirTree.decode(data), DirTree(**{kind: entries}).encode):
        with pytest.raises(ObjectFormatError, match="of 20,001 entries; at most 20,000"):
            deed()


def test_many_entries_take_no_more_memory_than_their_values(tmp_path):
    files = tuple((f"{n:06d}", A) for n in range(500_000))
    path = tmp_path / "dirtree"
    path.write_bytes(DirTree(files).encode())
    printed, grown = memory_growth(
        """
        import sys
        from ostrya.formats.dirtree import DirTree
        data = open(sys.argv[1], 'rb').read()
        """,
        "print(len(DirTree.decode(data).files))",
        path,
    )
    assert printed == ["500000"]
    assert grown < 180 << 10
