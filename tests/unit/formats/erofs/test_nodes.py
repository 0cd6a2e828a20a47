# SPDX-License-Identifier: Apache-2.0
"""The tree that goes in, and what it refuses."""

from __future__ import annotations

import stat

import pytest

from ostrya.formats.erofs.errors import ErofsError
from ostrya.formats.erofs.nodes import MAX_INLINE_CONTENT_BYTES, Node, check_node
from support.erofs_images import directory, inline, regular, symlink, whiteout


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"a\0", b"n" * 256])
def test_names_that_are_none(name):
    with pytest.raises(ErofsError):
        directory().add(name, regular(0))


def test_a_name_is_there_once():
    root = directory()
    root.add(b"a", regular(0))
    with pytest.raises(ErofsError, match="'a' is there twice"):
        root.add(b"a", regular(0))


def test_only_directories_have_entries():
    with pytest.raises(ErofsError, match="not a directory"):
        regular(0).add(b"a", regular(0))


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (Node(0o644), "no known file type"),
        (symlink(b""), "without target"),
        (symlink(b"t" * 4096), "too long"),
        (regular(1, payload=b"p" * 4096), "too long"),
        (inline(b"x" * (MAX_INLINE_CONTENT_BYTES + 1)), "too many"),
        (regular(3, content=b"four"), "not that of its content"),
        (regular(0, xattrs=((b"user." + b"n" * 251, b""),)), "no name for an attribute"),
        (regular(0, xattrs=((b"", b""),)), "no name for an attribute"),
        (regular(0, xattrs=((b"user.a", b"v" * 32743),)), "more extended attributes"),
    ],
)
def test_what_no_image_can_hold(node, words):
    with pytest.raises(ErofsError, match=words) as caught:
        check_node(b"name", node)
    assert "'name'" in caught.value.message


def test_the_last_that_fits():
    check_node(b"n", regular(0, xattrs=((b"user.a", b"v" * 32742),)))
    check_node(b"n", inline(b"x" * MAX_INLINE_CONTENT_BYTES))
    check_node(b"n", symlink(b"t" * 4095))


def test_what_is_what():
    assert whiteout().is_whiteout
    assert not Node(stat.S_IFCHR, rdev=1).is_whiteout
    assert not Node(stat.S_IFBLK).is_whiteout
    assert regular(1).has_backing_file
    assert not regular(0).has_backing_file
    assert not inline(b"x").has_backing_file
    assert not symlink(b"x").has_backing_file
