# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import struct

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.reading.ext4 import Ext4
from ostrya.image.reading.files import FileKind, View
from ostrya.image.reading.sources import BytesSource


def walk(files, entry, path=""):
    for one in files.entries(entry):
        where = f"{path}/{one.name}"
        yield where, one
        if one.is_dir:
            yield from walk(files, one, where)


def content(files, entry):
    if entry.kind is FileKind.LINK:
        return files.target(entry)
    return None if entry.is_dir else b"".join(files.chunks(entry))


def expected(top):
    found = {}
    for folder, folders, names in os.walk(top):
        for name in (*folders, *names):
            path = os.path.join(folder, name)
            where = "/" + os.path.relpath(path, top)
            if os.path.islink(path):
                found[where] = os.readlink(path)
            elif os.path.isdir(path):
                found[where] = None
            else:
                with open(path, "rb") as stream:
                    found[where] = stream.read()
    return found


OPTIONS = {
    "plain": [],
    "small-blocks": ["-b", "1024"],
    "no-extents": ["-O", "^extent,^64bit,^metadata_csum"],
    "no-checksums": ["-O", "^metadata_csum,^64bit", "-b", "2048"],
    "old": ["-O", "none,ext_attr", "-I", "128", "-b", "1024"],
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_what_mke2fs_writes_is_read(make_ext4, open_source, tree, options):
    path = make_ext4(tree, "-L", "label", "-U", "12345678-1234-5678-9abc-123456789abc", *options)
    files = Ext4(open_source(path))
    found = {path: content(files, one) for path, one in walk(files, files.root())}
    found.pop("/lost+found")
    assert found == expected(tree)
    assert (files.kind, files.label) == ("ext4", "label")
    assert files.uuid == "12345678-1234-5678-9abc-123456789abc"
    assert files.size_bytes == os.path.getsize(path)
    assert 0 < files.free_bytes < files.size_bytes


def test_owners_modes_times_and_other_kinds(make_ext4, open_source, tree):
    os.utime(tree / "small", (1, 1234567890))
    commands = (
        "set_inode_field small uid 70000", "set_inode_field small gid 80000",
        "set_inode_field small mode 0104755", "mknod pipe p",
    )  # fmt: skip
    view = View(Ext4(open_source(make_ext4(tree, commands=commands))))
    small = view.find("/small").entry
    assert (small.uid, small.gid, small.mode, small.mtime) == (70000, 80000, 0o4755, 1234567890)
    assert view.find("/pipe").entry.kind is FileKind.OTHER


def test_zeros_come_for_what_was_never_written(make_ext4, open_source, tree):
    files = Ext4(open_source(make_ext4(tree, commands=["fallocate small 1 500"])))
    entry = files.find(files.root(), "sparse")
    assert b"".join(files.chunks(entry)) == (tree / "sparse").read_bytes()
    assert max(len(chunk) for chunk in files.chunks(entry)) <= 1 << 20


def test_what_is_not_there(make_ext4, open_source, tree):
    files = Ext4(open_source(make_ext4(tree)))
    assert files.find(files.root(), "nothing") is None
    with pytest.raises(DiskError, match="is no directory"):
        list(files.entries(files.find(files.root(), "small")))


@pytest.fixture
def damaged(make_ext4, tree):
    """Change bytes of the inode of a file, and read it."""
    path = make_ext4(tree, "-O", "^metadata_csum", mib=8)
    data = bytearray(path.read_bytes())
    files = Ext4(BytesSource(bytes(data)))

    def damage(name, at, patch):
        entry = files.find(files.root(), name)
        raw = files.layout.inode(entry.handle)
        where = data.index(raw)
        changed = bytearray(data)
        changed[where + at : where + at + len(patch)] = patch
        again = Ext4(BytesSource(bytes(changed)))
        return again, again.find(again.root(), name)

    return damage


@pytest.mark.parametrize(
    ("at", "patch", "words"),
    [
        (0x28, b"xx", "extents of inode"),
        (0x2E, struct.pack("<H", 9), "extents of inode"),
        (0x2A, struct.pack("<H", 200), "extents of inode"),
        (0x3C, struct.pack("<I", 1 << 30), "does not exist"),
        (0x6C, struct.pack("<I", 1 << 20), "has 4503599627370502 bytes"),
        (0x20, struct.pack("<I", 0x10080000), "kept in its inode"),
        (0x20, struct.pack("<I", 0x00080800), "encrypted"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused(damaged, at, patch, words):
    files, entry = damaged("small", at, patch)
    with pytest.raises(DiskError, match=words):
        b"".join(files.chunks(entry))


def test_a_link_and_a_directory_are_of_bounded_size(damaged):
    files, entry = damaged("root", 4, struct.pack("<I", 1 << 30))
    with pytest.raises(DiskError, match="has 1073741824 bytes"):
        files.target(entry)
    files, entry = damaged("many", 4, struct.pack("<I", 1 << 30))
    with pytest.raises(DiskError, match="has 1073741824 bytes"):
        list(files.entries(entry))


def test_extents_that_are_each_others_children_end(make_ext4, tree):
    # An index node that leads to itself, again and again: depth and budget end it.
    path = make_ext4(tree, "-O", "^metadata_csum", mib=8)
    files = Ext4(BytesSource(path.read_bytes()))
    node = struct.pack("<HHHHI", 0xF30A, 4, 4, 1, 0) + struct.pack("<IIHH", 0, 5, 0, 0) * 4
    with pytest.raises(DiskError, match="are damaged"):
        list(files._leaves(node, 12, None, [3]))
