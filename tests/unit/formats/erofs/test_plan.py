# SPDX-License-Identifier: Apache-2.0
"""Numbering and placing."""

from __future__ import annotations

import pytest

from ostrya.formats.erofs.errors import ErofsError
from ostrya.formats.erofs.nodes import HardLink
from ostrya.formats.erofs.plan import entry_blocks, make_plan
from support.erofs_images import LABEL, directory, inline, regular, symlink


def find(plan, node):
    return next(inode for inode in plan.inodes if inode.node is node)


def test_inodes_are_numbered_breadth_first():
    root = directory()
    first, second = directory(), directory()
    deep = regular(0)
    root.add(b"x2", second)
    root.add(b"x1", first)
    first.add(b"deep", deep)
    nodes = [inode.node for inode in make_plan(root, 0).inodes]
    assert nodes[0] is root
    assert nodes.index(first) < nodes.index(second) < nodes.index(deep)
    # The root's 256 whiteouts come before what lies deeper.
    assert nodes.index(deep) == len(nodes) - 1 == 259


def test_directories_count_their_subdirectories():
    root = directory()
    sub = directory()
    root.add(b"sub", sub)
    root.add(b"file", regular(0))
    plan = make_plan(root, 0)
    assert find(plan, root).nlink == 3
    assert find(plan, sub).nlink == 2


@pytest.mark.parametrize(
    "fields",
    [{"uid": 65536}, {"gid": 65536}, {"mtime": (1, 0)}, {"nlink": 65536}, {"size": 1 << 32}],
)
def test_the_small_inode_serves_where_all_fits(fields):
    root = directory()
    plain, other = regular(1), regular(**{"size": 1, **fields})
    root.add(b"plain", plain)
    root.add(b"other", other)
    plan = make_plan(root, 0)
    assert find(plan, plain).compact
    assert not find(plan, other).compact


def test_tails_stay_within_their_block():
    root = directory(xattrs=LABEL)
    for number in range(300):
        root.add(b"inline%d" % number, inline(b"x" * (7 * number + 1)))
        root.add(b"link%d" % number, symlink(b"t" * (13 * number + 1)))
    plan = make_plan(root, 0)
    end = 1152
    for inode in plan.inodes:
        assert inode.offset % 32 == 0
        assert inode.offset >= end
        begin = inode.offset + (32 if inode.compact else 64) + inode.body_size
        end = begin + inode.tail
        assert not inode.tail or begin // 4096 == (end - 1) // 4096
    assert plan.shared_start >= end


def test_the_rest_of_a_directory_stands_beside_its_inode_up_to_half_a_block():
    root = directory()
    expected = {}
    # Entries of 16 bytes; "." and ".." take 27 more: 126 of them make 2043 bytes, 127 make 2059.
    for count, shape in ((1, (0, 43)), (126, (0, 2043)), (127, (1, 0)), (260, (1, 96))):
        sub = directory()
        root.add(b"d%d" % count, sub)
        for number in range(count):
            sub.add(b"%04d" % number, regular(0))
        expected[sub] = shape
    plan = make_plan(root, 0)
    for sub, shape in expected.items():
        inode = find(plan, sub)
        assert (inode.blocks, inode.tail) == shape
        assert inode.size == 4096 * shape[0] + shape[1]
        assert len(entry_blocks(inode)) == shape[0] + bool(shape[1])


@pytest.mark.parametrize("outside", [regular(0), directory()])
def test_a_hard_link_needs_a_file_of_the_tree(outside):
    root = directory()
    root.add(b"link", HardLink(outside))
    with pytest.raises(ErofsError, match="'link'"):
        make_plan(root, 0)


def test_a_file_with_two_places_is_no_hard_link():
    root = directory()
    node = regular(0)
    root.add(b"a", node)
    root.add(b"b", node)
    with pytest.raises(ErofsError, match="twice"):
        make_plan(root, 0)


def test_the_root_is_a_directory():
    with pytest.raises(ErofsError, match="root"):
        make_plan(regular(0), 0)
