# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import struct
import subprocess

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.filesystem import find_program
from ostrya.image.reading.ext4_layout import Layout
from ostrya.image.reading.sources import BytesSource


@pytest.mark.parametrize(
    ("options", "mib"),
    [
        ([], 16),
        (["-b", "1024"], 40),
        (["-O", "^flex_bg,^metadata_csum", "-b", "1024"], 40),
        (["-O", "^flex_bg,^sparse_super,^resize_inode", "-b", "1024", "-g", "1024"], 20),
        (["-O", "^flex_bg,sparse_super2,^resize_inode", "-b", "1024", "-g", "2048"], 24),
        (["-O", "^has_journal"], 300),
    ],
)
def test_blocks_in_use_are_those_that_dumpe2fs_lists_as_not_free(
    make_ext4, open_source, tree, options, mib
):
    path = make_ext4(tree, *options, mib=mib)
    layout = Layout(open_source(path))
    used = set()
    for first, count in layout.used_blocks():
        run = set(range(first, first + count))
        assert not run & used
        used |= run
    said = subprocess.run(
        [find_program("dumpe2fs"), path], check=True, capture_output=True, text=True
    ).stdout
    free = set()
    for line in re.findall(r"^  Free blocks: (.*)$", said, re.MULTILINE):
        for word in filter(None, line.split(", ")):
            first, _, last = word.partition("-")
            free |= set(range(int(first), int(last or first) + 1))
    assert used == set(range(layout.blocks)) - free
    assert len(free) == layout.free_blocks


def changed(path, *changes):
    data = bytearray(path.read_bytes())
    for form, at, value in changes:
        struct.pack_into(form, data, 1024 + at, value)
    return BytesSource(bytes(data))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("<H", 0x38, 0), "no ext4"),
        (("<I", 0x18, 20), "damaged"),
        (("<I", 0x20, 0), "damaged"),
        (("<I", 0x28, 1 << 30), "damaged"),
        (("<H", 0x58, 200), "damaged"),
        (("<H", 0xFE, 7), "damaged"),
        (("<I", 0x14, 9), "damaged"),
        (("<I", 0x150, 1 << 20), "damaged"),
        (("<I", 0x60, 0x8000), "inline data"),
        (("<I", 0x60, 0x10010), "meta groups and encryption"),
        (("<I", 0x60, 1 << 30), "features 0x"),
    ],
)
def test_what_cannot_be_is_refused(make_ext4, tree, change, words):
    path = make_ext4(tree, "-O", "^metadata_csum", mib=8)
    with pytest.raises(DiskError, match=words):
        Layout(changed(path, change))


def test_too_little_is_no_ext4():
    with pytest.raises(DiskError, match="no ext4"):
        Layout(BytesSource(bytes(1024)))


def test_inodes_and_blocks_that_do_not_exist(make_ext4, tree):
    layout = Layout(changed(make_ext4(tree, mib=8)))
    for number in (0, layout.inodes + 1):
        with pytest.raises(DiskError, match=f"inode {number} "):
            layout.inode(number)
    for number in (0, layout.blocks):
        with pytest.raises(DiskError, match=f"block {number} "):
            layout.block(number)


def test_a_journal_with_changes_is_noticed(make_ext4, tree):
    path = make_ext4(tree, "-O", "^metadata_csum", mib=8)
    flags = struct.unpack_from("<I", path.read_bytes(), 1024 + 0x60)[0]
    assert not Layout(changed(path)).needs_recovery
    assert Layout(changed(path, ("<I", 0x60, flags | 4))).needs_recovery
