# SPDX-License-Identifier: Apache-2.0
"""File systems populated by us, read by e2fsprogs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.image.ext4.crc32c import INITIAL, crc32c
from ostrya.image.filesystem import Ext4Options, Inode, find_program, measure, write_ext4
from support.image_world import missing

REASON = missing("mke2fs", "debugfs", "e2fsck")
MIB = 1 << 20
NAMES = st.text(st.sampled_from("abcXYZ.-_ äß"), min_size=1, max_size=60).filter(
    lambda name: name not in {".", "..", "lost+found"}
)
FILES = st.one_of(
    st.binary(max_size=300),
    st.integers(0, 70000).map(lambda size: os.urandom(16) * (size // 16)),
    st.text("abc/", min_size=1, max_size=200).map(lambda text: ("link", text)),
)
TREES = st.recursive(
    st.dictionaries(NAMES, FILES, max_size=6),
    lambda inner: st.dictionaries(NAMES, st.one_of(FILES, inner), max_size=6),
    max_leaves=20,
)
XATTRS = st.lists(
    st.tuples(
        st.sampled_from([b"user.", b"security.", b"trusted."]),
        st.text("abcdef", min_size=1, max_size=20).map(str.encode),
        st.binary(max_size=300),
    ),
    max_size=6,
    unique_by=lambda one: one[:2],
).map(lambda found: tuple((prefix + name, value) for prefix, name, value in found))
OWNERS = st.integers(0, (1 << 32) - 2)


def slow_crc(data, crc=INITIAL):
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


@given(st.binary(max_size=100), st.integers(0, 5000), st.integers(0, INITIAL))
def test_checksums(data, zeros, begin):
    assert crc32c(data, begin) == slow_crc(data, begin)
    assert crc32c(data + bytes(zeros), begin) == slow_crc(data + bytes(zeros), begin)


def lay_out(tree, top):
    for name, found in tree.items():
        path = top / name
        if isinstance(found, dict):
            path.mkdir()
            lay_out(found, path)
        elif isinstance(found, tuple):
            path.symlink_to(found[1])
        else:
            path.write_bytes(found)


def shape(top):
    """What a tree is: by path, what is in files and where links lead."""
    found = {}
    for path in sorted(top.rglob("*")):
        key = str(path.relative_to(top))
        if path.is_symlink():
            found[key] = os.readlink(path)
        else:
            found[key] = path.read_bytes() if path.is_file() else None
    return found


@pytest.mark.skipif(bool(REASON), reason=REASON or "none")
@settings(max_examples=25, deadline=None)
@given(TREES, XATTRS, OWNERS, OWNERS, st.integers(0, 0o7777))
def test_a_file_system_is_sound_and_has_its_files(tree, xattrs, uid, gid, mode):
    with TemporaryDirectory() as name:
        folder = Path(name)
        top, back, image = folder / "tree", folder / "back", folder / "image"
        top.mkdir()
        back.mkdir()
        lay_out(tree, top)
        paths = [str(path.relative_to(top)) for path in top.rglob("*")]
        inodes = {path: Inode(uid, gid, mode, xattrs) for path in paths[:3]}
        size = max(16 * MIB, measure(str(top)) * 2)
        options = Ext4Options(size // MIB * MIB, "x", UUID(int=3), 1700000000)
        write_ext4(str(top), str(image), options, inodes)
        checked = subprocess.run(
            [find_program("e2fsck"), "-fn", image], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout
        subprocess.run(
            [find_program("debugfs"), "-R", f"rdump / {back}", image],
            capture_output=True,
            check=True,
        )
        (back / "lost+found").rmdir()
        if os.geteuid() == 0:
            assert shape(back) == shape(top)
