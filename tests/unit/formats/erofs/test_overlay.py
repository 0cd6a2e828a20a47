# SPDX-License-Identifier: Apache-2.0
"""What is added for overlayfs."""

from __future__ import annotations

import stat

from ostrya.formats.erofs.nodes import HardLink
from ostrya.formats.erofs.overlay import (
    format_version,
    overlaid_mode,
    overlaid_xattrs,
    root_whiteouts,
)
from support.erofs_images import LABEL, directory, inline, regular, symlink, whiteout


def added(node, *, version=0, is_root=False):
    return dict(overlaid_xattrs(node, version=version, is_root=is_root))


def test_a_file_points_to_its_content():
    digest = bytes(range(32))
    assert added(regular(5, payload=b"ab/cd.file", digest=digest)) == {
        b"trusted.overlay.metacopy": b"\0\x24\0\1" + digest,
        b"trusted.overlay.redirect": b"/ab/cd.file",
    }
    assert added(regular(5, payload=b"ab/cd.file")) == {
        b"trusted.overlay.metacopy": b"",
        b"trusted.overlay.redirect": b"/ab/cd.file",
    }


def test_what_has_its_content_here_points_nowhere():
    for node in (regular(0), inline(b"x"), symlink(b"t"), directory()):
        assert added(node) == {}


def test_attributes_of_overlayfs_are_quoted():
    node = directory(xattrs=((b"trusted.overlay.opaque", b"y"), (b"user.overlay.x", b"")))
    assert added(node, is_root=True) == {
        b"trusted.overlay.opaque": b"y",
        b"trusted.overlay.overlay.opaque": b"y",
        b"user.overlay.x": b"",
    }


def test_sorted_by_name():
    found = overlaid_xattrs(
        regular(1, payload=b"p", xattrs=((b"user.a", b""), *LABEL)), version=0, is_root=False
    )
    assert list(found) == sorted(found)


def test_directories_of_whiteouts_are_marked():
    node = directory()
    node.add(b"gone", whiteout())
    marks = {b"trusted.overlay.overlay.whiteouts": b"", b"user.overlay.whiteouts": b""}
    assert added(node) == marks
    assert added(node, version=1) == marks | {
        b"trusted.overlay.overlay.opaque": b"x",
        b"user.overlay.opaque": b"x",
    }
    assert overlaid_mode(node.children[b"gone"]) == stat.S_IFREG | 0o644


def test_whiteouts_raise_the_version():
    root = directory()
    sub = directory()
    root.add(b"sub", sub)
    sub.add(b"link", HardLink(regular(0)))
    assert format_version(root) == 0
    sub.add(b"gone", whiteout())
    assert format_version(root) == 1


def test_the_root_hides_the_objects_of_the_repository():
    root = directory(uid=3, gid=4, mtime=(5, 6), xattrs=((b"user.a", b""), *LABEL))
    root.add(b"0a", directory())
    found = dict(root_whiteouts(root))
    assert len(found) == 255
    assert b"0a" not in found
    one = found[b"ff"]
    assert (one.uid, one.gid, one.mtime, one.xattrs) == (3, 4, (5, 6), LABEL)
    assert one.is_whiteout
