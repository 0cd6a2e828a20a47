# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import struct

import pytest

from ostrya.image.errors import OutputError
from ostrya.image.outputs.btrfs import items
from ostrya.image.outputs.btrfs.scan import scan


def test_inodes_names_and_content(tree, inodes):
    found = scan(str(tree), inodes, 1700000000)
    keys = [key for key, _ in found.items]
    assert keys == sorted(set(keys))
    by_key = dict(found.items)
    numbers = {key[0] for key in keys}
    # One for each file, but for those that are the same.
    assert len(numbers) == 1 + 3 + 1 + 1 + 1 + 5 + 1500
    inode = next(
        data for (_, kind, _), data in found.items
        if kind == items.INODE_ITEM and struct.unpack_from("<I", data, 44)[0] == 7
    )  # fmt: skip
    size, nbytes, _, links, uid, gid, mode = struct.unpack_from("<QQQIIII", inode, 16)
    assert (size, nbytes, links, uid, gid, mode) == (100_001, 102_400, 3, 7, 8, 0o104755)
    assert struct.unpack_from("<I", by_key[256, items.INODE_ITEM, 0], 52)[0] == 0o40755
    assert by_key[256, items.INODE_REF, 256] == items.inode_ref(0, b"..")
    assert sum(one.size for one in found.pieces) == 102_400 + 4096 * 2 + 8192
    assert [one.start for one in found.pieces] == sorted(one.start for one in found.pieces)


def test_small_content_is_in_the_tree(tree, inodes):
    found = scan(str(tree), inodes, 0)
    inline = [
        data for (_, kind, _), data in found.items if kind == items.EXTENT_DATA and data[20] == 0
    ]
    assert max(len(data) for data in inline) == 21 + 2048


def test_what_is_no_file_is_refused(tree, inodes):
    os.mkfifo(tree / "pipe")
    with pytest.raises(OutputError, match="pipe is no file"):
        scan(str(tree), inodes, 0)
