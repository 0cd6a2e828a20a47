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
        lambda top: trees.write(top / "hollow/within/one more"),
        lambda top: (top / "hollow/within").chmod(0o700),
        lambda top: os.setxattr(top / "xattr/one", "user.zeta", b"Last"),
        lambda top: os.setxattr(top / "hollow", "user.new", b""),
        lambda top: (
            (top / "etc/also-empty").unlink(),
            os.link(top / "etc/empty", top / "etc/also-empty"),
        ),
    ],
    ids=[
        "content",
        "mode",
        "missing",
        "xattr",
        "link target",
        "hard link",
        "one more",
        "mode of a directory",
        "value of an xattr",
        "xattr of a directory",
        "linked",
    ],
)
def test_each_kind_of_difference_is_seen(pair, change):
    left, right = pair
    change(right)
    with pytest.raises(AssertionError):
        trees.assert_same_tree(left, right)


@pytest.mark.root
@pytest.mark.parametrize("name", ["etc/empty", "hollow", "dangling"])
@pytest.mark.parametrize("owner", [(1, 0), (0, 1)], ids=["user", "group"])
def test_another_owner_is_seen(pair, name, owner):
    left, right = pair
    os.chown(right / name, *owner, follow_symlinks=False)
    with pytest.raises(AssertionError, match="owner"):
        trees.assert_same_tree(left, right)


def test_another_time_is_seen_where_it_counts(pair):
    left, right = pair
    os.utime(left / "etc/empty", (0, 0))
    trees.assert_same_tree(left, right)
    with pytest.raises(AssertionError, match="mtime"):
        trees.assert_same_tree(left, right, mtimes=True)


def test_a_copy_is_told_from_a_link_to_an_object(tmp_path):
    stored = trees.write(tmp_path / "repo/objects/ab/cd.file", b"content\n")
    for name in ("link", "copy"):
        (tmp_path / "out" / name).mkdir(parents=True)
    os.link(stored, tmp_path / "out/link/file")
    trees.write(tmp_path / "out/copy/file", b"content\n")
    trees.assert_same_tree(tmp_path / "out/link", tmp_path / "out/copy")
    assert trees.links_into(tmp_path / "out/link", tmp_path / "repo") == {"file": "cd.file"}
    assert not trees.links_into(tmp_path / "out/copy", tmp_path / "repo")
