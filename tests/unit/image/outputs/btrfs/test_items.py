# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from uuid import UUID

import pytest

from ostrya.image.outputs.btrfs import items

ID = UUID(int=1)


@pytest.mark.parametrize(
    ("name", "hashed"),
    # As btrfs inspect-internal dump-tree shows them: of the default subvolume, and of an attribute.
    [(b"default", 2378154706), (b"security.selinux", 3817753667)],
)
def test_names_are_found_by_their_hash(name, hashed):
    assert items.name_hash(name) == hashed


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (items.inode(items.InodeFacts(1, 2, 3, 4, 5, 0o100644)), 160),
        (items.inode_ref(5, b"name"), 14),
        (items.dir_entry((1, 1, 0), items.KIND_FILE, b"name", b"xy"), 36),
        (items.inline_extent(b"abc"), 24),
        (items.regular_extent(4096, 4096), 53),
        (items.data_extent(257, 0), 53),
        (items.tree_extent(5), 33),
        (items.block_group(1, 2), 24),
        (items.chunk(1 << 20, 1 << 22, items.SYSTEM, ID), 80),
        (items.dev_extent(1 << 20, 1 << 22, ID), 48),
        (items.dev_item(1, 2, ID, ID), 98),
        (items.root_item(1, 0, 1, 256, bytes(16), 7), 439),
    ],
)
def test_items_are_as_large_as_the_format_says(data, size):
    assert len(data) == size
