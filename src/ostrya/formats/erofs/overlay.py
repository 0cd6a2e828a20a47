# SPDX-License-Identifier: Apache-2.0
"""What composefs adds to a tree so that overlayfs, laid over the image, shows that tree.

A regular file becomes an empty one whose attributes say where its content is, and what digest
that must have. Attributes and whiteouts of the tree itself are quoted, for overlayfs would act
on them; the root gets whiteouts of 00 … ff, to hide the backing files' directories.

Source: the kernel's filesystems/overlayfs.rst (metacopy, nested mounts); libcomposefs.
"""

from __future__ import annotations

import stat
from struct import pack
from typing import TYPE_CHECKING

from ostrya.formats.erofs.nodes import HardLink, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.xattrs import Xattrs

_TRUSTED = b"trusted.overlay."
_QUOTED = b"trusted.overlay.overlay."
_USER = b"user.overlay."
_SHA256 = 1
_METACOPY_SIZE = 36
_SELINUX = b"security.selinux"


def format_version(root: Node) -> int:
    """Return the version of the composefs format that a tree needs: 1 if it has whiteouts."""
    pending = [root]
    while pending:
        for child in pending.pop().children.values():
            if isinstance(child, HardLink):
                continue
            if child.is_whiteout:
                return 1
            if child.children:
                pending.append(child)
    return 1 if root.is_whiteout else 0


def overlaid_xattrs(node: Node, *, version: int, is_root: bool) -> Xattrs:
    """Return the attributes that a node gets in the image, sorted by name."""
    found: dict[bytes, bytes] = {}
    for name, value in node.xattrs:
        found[_QUOTED + name[len(_TRUSTED) :] if name.startswith(_TRUSTED) else name] = value
    if node.has_backing_file:
        found.update(_backing_xattrs(node))
    if node.is_whiteout:
        found[_QUOTED + b"whiteout"] = found[_USER + b"whiteout"] = b""
    if node.is_dir and _holds_whiteouts(node):
        found[_QUOTED + b"whiteouts"] = found[_USER + b"whiteouts"] = b""
        if version >= 1:
            found[_QUOTED + b"opaque"] = found[_USER + b"opaque"] = b"x"
    if is_root:
        found[_TRUSTED + b"opaque"] = b"y"
    return tuple(sorted(found.items()))


def overlaid_mode(node: Node) -> int:
    """Return the mode that a node gets in the image: a quoted whiteout is a regular file."""
    return stat.S_IFREG | stat.S_IMODE(node.mode) if node.is_whiteout else node.mode


def root_whiteouts(root: Node) -> Iterator[tuple[bytes, Node]]:
    """Yield the whiteouts that the root gets, with the root's owner, time and label."""
    label = tuple(pair for pair in root.xattrs if pair[0] == _SELINUX)
    for number in range(256):
        name = b"%02x" % number
        if name not in root.children:
            yield (
                name,
                Node(
                    stat.S_IFCHR | 0o644,
                    uid=root.uid,
                    gid=root.gid,
                    mtime=root.mtime,
                    xattrs=label,
                ),
            )


def _backing_xattrs(node: Node) -> Iterator[tuple[bytes, bytes]]:
    metacopy = b""
    if node.digest is not None:
        metacopy = pack("<BBBB", 0, _METACOPY_SIZE, 0, _SHA256) + node.digest
    yield _TRUSTED + b"metacopy", metacopy
    if node.payload:
        yield _TRUSTED + b"redirect", b"/" + node.payload


def _holds_whiteouts(node: Node) -> bool:
    return any(
        not isinstance(child, HardLink) and child.is_whiteout for child in node.children.values()
    )
