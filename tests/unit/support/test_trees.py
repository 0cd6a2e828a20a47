# SPDX-License-Identifier: Apache-2.0
"""The gauges gauge: a difference of any kind between two trees is seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support import trees


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        trees.full_tree(tmp_path / name)
    return tmp_path / "left", tmp_path / "right"


def test_equal_trees_have_no_differences(pair):
    trees.assert_same_tree(*pair)


@pytest.mark.parametrize(
    "change",
    [
        lambda top: (top / "etc/empty").write_bytes(b"x"),
        lambda top: (top / "etc/empty").chmod(0o600),
        lambda top: (top / "hollow/within").rmdir(),
        lambda top: os.removexattr(top / "xattr/one", "user.empty"),
        lambda top: ((top / "dangling").unlink(), (top / "dangling").symlink_to("/elsewhere")),
        lambda top: (
            (top / "etc/third").unlink(),
            trees.write(top / "etc/third", b"shared content\n"),
        ),
    ],
    ids=["content", "mode", "missing", "xattr", "link target", "hard link"],
)
def test_each_kind_of_difference_is_seen(pair, change):
    left, right = pair
    change(right)
    with pytest.raises(AssertionError):
        trees.assert_same_tree(left, right)
