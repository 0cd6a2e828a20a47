# SPDX-License-Identifier: Apache-2.0
"""A directory of all kinds of files."""

from __future__ import annotations

import os
import random

import pytest

from ostrya.image.filesystem import Inode

INODES = {
    "": Inode(0, 0, 0o755),
    "deploy": Inode(0, 0, 0o1777, immutable=True),
    # Said of the second name only.
    "repo/object": Inode(7, 8, 0o4755, ((b"security.x", b"label"), (b"user.y", b"v" * 300))),
    "deploy/link": Inode(9, 9),
}


@pytest.fixture
def tree(tmp_path):
    rng = random.Random(1)
    top = tmp_path / "tree"
    (top / "repo").mkdir(parents=True)
    (top / "deploy/many").mkdir(parents=True)
    (top / "repo/object").write_bytes(rng.randbytes(100_001))
    os.link(top / "repo/object", top / "deploy/file")
    os.link(top / "repo/object", top / "deploy/file again")
    (top / "deploy/link").symlink_to("file")
    (top / "empty").write_bytes(b"")
    for size in (1, 2048, 2049, 4096, 4097):
        (top / f"file of {size}").write_bytes(rng.randbytes(size))
    for number in range(1500):
        (top / f"deploy/many/a name that is long {number:04}").write_bytes(b"%d" % number)
    return top


@pytest.fixture
def inodes():
    return INODES
