# SPDX-License-Identifier: Apache-2.0
"""Whole images: pinned, against mkcomposefs, against a reader of our own and against the kernel."""

from __future__ import annotations

import os
import shutil
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.formats.erofs.errors import ErofsError
from ostrya.formats.erofs.image import encode_image, iter_image
from ostrya.formats.erofs.nodes import HardLink, Node
from ostrya.formats.verity_digest import verity_digest
from support import mounts
from support.erofs_images import (
    TREES,
    Image,
    directory,
    inline,
    mkcomposefs,
    regular,
    symlink,
    system,
    whiteout,
    whiteouts,
)

# fs-verity digests of what mkcomposefs 1.0.8 wrote for the same trees.
DIGESTS = {
    "empty": "8f589e8f57ecb88823736b0d857ddca1e1068a23e264fad164b28f7038eb3682",
    "system": "d799a0d97a7cc79043c85f752d5fc7e640b38c8d7a7d5c3c6747c55a79ac06c0",
    "odd_files": "7bcf3a900af0b5c4da3617cbf640c1d3ae57270db46c0d98274690b91744ec23",
    "attributes": "4baf21560543aeb04974ddf0fab19f88a407ac99d8b8b23f04c751e23f20fc07",
    "whiteouts": "2194d92b63c975a6748d32cff2bf52d20c7ef25d6cafabb24d127cedffbbe710",
    "wide": "3d315830c433b9ebaffd649807f375cfa09455cc03c05d3c47a3bdb94d98e619",
}
BY_NAME = pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.__name__)
needs_peer = pytest.mark.skipif(
    shutil.which("mkcomposefs") is None, reason="needs libcomposefs's mkcomposefs"
)


@BY_NAME
def test_images_are_those_of_libcomposefs(tree):
    assert verity_digest(iter_image(tree())) == DIGESTS[tree.__name__]


@needs_peer
@BY_NAME
def test_mkcomposefs_agrees(tree, tmp_path):
    assert encode_image(tree()) == mkcomposefs(tree(), tmp_path)


def test_the_version_is_the_lowest_that_will_do():
    def version(image):
        return image[12]

    assert version(encode_image(system())) == 0
    assert version(encode_image(whiteouts())) == 1
    assert version(encode_image(system(), version=1)) == 1
    assert version(encode_image(whiteouts(), version=0)) == 0


def test_pieces_are_worth_a_write():
    pieces = list(iter_image(TREES[-1]()))
    assert b"".join(pieces) == encode_image(TREES[-1]())
    assert all(len(piece) >= 64 * 1024 for piece in pieces[:-1])
    assert max(len(piece) for piece in pieces) < 256 * 1024


def test_what_cannot_be_held_is_refused_before_the_first_byte():
    root = directory()
    root.add(b"huge", regular(1 << 60))
    with pytest.raises(ErofsError, match="too large"):
        iter_image(root)


names = st.binary(min_size=1, max_size=40).filter(
    lambda name: name not in {b".", b".."} and b"/" not in name and b"\0" not in name
)
attributes = st.dictionaries(
    st.tuples(
        st.sampled_from([b"user.", b"security.", b"trusted.", b"trusted.overlay.", b"odd."]),
        st.binary(max_size=12).filter(lambda rest: b"\0" not in rest),
    ).map(b"".join),
    st.one_of(st.just(b"same"), st.binary(max_size=200)),
    max_size=5,
).map(lambda pairs: tuple(sorted(pairs.items())))
fields = st.fixed_dictionaries(
    {
        "uid": st.sampled_from([0, 1000, 65535, 65536, 2**32 - 1]),
        "gid": st.sampled_from([0, 5, 2**32 - 1]),
        "mtime": st.sampled_from([(0, 0), (0, 0), (1, 999999999), (2**33, 0)]),
        "xattrs": attributes,
    }
)
files = st.one_of(
    st.builds(
        lambda size, payload, digest, more: regular(size, payload=payload, digest=digest, **more),
        st.integers(1, 2**45), st.binary(min_size=1, max_size=70).filter(lambda p: b"\0" not in p),
        st.none() | st.binary(min_size=32, max_size=32), fields,
    ),
    st.builds(lambda more: regular(0, **more), fields),
    st.builds(lambda data, more: inline(data, **more), st.binary(min_size=1, max_size=5000), fields),
    st.builds(
        lambda length, more: symlink(b"t" * length, **more), st.integers(1, 4095), fields
    ),
    st.builds(lambda more: Node(stat.S_IFIFO | 0o600, **more), fields),
)  # fmt: skip


@st.composite
def trees(draw):
    root = directory(**draw(fields))
    places = [root]
    for name, make_dir, more, file in draw(
        st.lists(st.tuples(names, st.booleans(), fields, files), max_size=25)
    ):
        place = places[draw(st.integers(0, len(places) - 1))]
        if name in place.children:
            continue
        if make_dir:
            places.append(directory(**more))
            place.add(name, places[-1])
        else:
            place.add(name, file)
    return root


@settings(max_examples=60, deadline=None)
@given(trees())
def test_an_image_holds_its_tree(root):
    image = Image(encode_image(root))
    pending = [(root, image.root_slot, image.root_slot)]
    numbers = set()
    while pending:
        node, slot, parent = pending.pop()
        read = image.inode(slot)
        numbers.add(read.number)
        assert (read.mode, read.uid, read.gid) == (node.mode, node.uid, node.gid)
        assert read.mtime == node.mtime
        for name, value in node.xattrs:
            quoted = name.replace(b"trusted.overlay.", b"trusted.overlay.overlay.")
            assert read.xattrs[quoted] == value
        if node.is_dir:
            expected = set(node.children) | {b".", b".."}
            if node is root:
                expected |= {b"%02x" % number for number in range(256)}
            assert set(read.entries) == expected
            assert (read.entries[b"."], read.entries[b".."]) == (slot, parent)
            pending += [(child, read.entries[name], slot) for name, child in node.children.items()]
        else:
            assert read.size == node.size
            _check_content(node, read)
    assert len(numbers) <= image.inodes


def _check_content(node, read):
    if node.has_backing_file:
        assert read.xattrs[b"trusted.overlay.redirect"] == b"/" + node.payload
        metacopy = read.xattrs[b"trusted.overlay.metacopy"]
        assert metacopy == (b"\0\x24\0\1" + node.digest if node.digest else b"")
    elif stat.S_ISLNK(node.mode):
        assert read.data == node.payload
    else:
        assert read.data == (node.content or b"")


def test_a_hard_link_is_the_same_inode():
    root = directory()
    target = regular(0, nlink=2)
    root.add(b"one", HardLink(target))
    root.add(b"two", target)
    image = Image(encode_image(root))
    entries = image.inode(image.root_slot).entries
    assert entries[b"one"] == entries[b"two"]
    assert image.inode(entries[b"one"]).nlink == 2


def test_a_whiteout_of_the_tree_shows_as_a_file_to_be_unquoted():
    root = directory()
    root.add(b"gone", whiteout())
    image = Image(encode_image(root))
    top = image.inode(image.root_slot)
    gone = image.inode(top.entries[b"gone"])
    assert stat.S_ISREG(gone.mode)
    assert gone.xattrs[b"trusted.overlay.overlay.whiteout"] == b""
    assert top.xattrs[b"trusted.overlay.overlay.opaque"] == b"x"
    # The root's own, for overlayfs to act on.
    assert stat.S_ISCHR(image.inode(top.entries[b"ff"]).mode)
    assert top.xattrs[b"trusted.overlay.opaque"] == b"y"


@pytest.mark.root
@pytest.mark.loop
@pytest.mark.skipif(bool(mounts.missing("erofs")), reason="this kernel has no erofs")
@BY_NAME
def test_the_kernel_reads_it(tree, tmp_path):
    mounts.enter_private_namespace()
    root = tree()
    (tmp_path / "image").write_bytes(encode_image(root))
    target = tmp_path / "mounted"
    target.mkdir()
    mounts.run("mount", "-t", "erofs", "-o", "ro,loop", str(tmp_path / "image"), str(target))
    try:
        _compare(root, os.fsencode(target), top=True)
    finally:
        mounts.unmount(tmp_path)


def _compare(node, path, *, top=False):
    found = os.lstat(path)
    if node.is_whiteout:
        assert stat.S_ISREG(found.st_mode)
        return
    assert (found.st_mode, found.st_uid, found.st_gid) == (node.mode, node.uid, node.gid)
    assert found.st_mtime_ns == node.mtime[0] * 10**9 + node.mtime[1]
    for name, value in node.xattrs:
        if name.startswith((b"user.", b"security.")) and name != b"user." and not top:
            assert os.getxattr(path, name, follow_symlinks=False) == value
    if node.is_dir:
        listed = {os.fsencode(name) for name in os.listdir(path)}
        whiteouts_of_root = {b"%02x" % number for number in range(256)} if top else set()
        assert listed == set(node.children) | whiteouts_of_root
        for name, child in node.children.items():
            target = child.target if isinstance(child, HardLink) else child
            _compare(target, path + b"/" + name)
    elif stat.S_ISLNK(node.mode):
        assert os.readlink(path) == node.payload
    elif stat.S_ISREG(node.mode):
        assert found.st_size == node.size
        if node.content:
            with open(path, "rb") as stream:
                assert stream.read() == node.content
