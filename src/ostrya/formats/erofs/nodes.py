# SPDX-License-Identifier: Apache-2.0
"""The tree that an image is made of: files, directories, and second names of files."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.formats.erofs.errors import ErofsError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.xattrs import Xattrs

MAX_NAME_LENGTH = 255
MAX_PAYLOAD_LENGTH = 4095
MAX_INLINE_CONTENT_BYTES = 5000
# What one file's extended attributes may take, each counted with seven bytes on top.
MAX_XATTRS_BYTES = 0x7FFF
_XATTRS_OVERHEAD = 12
_SHOWN_BYTES = 64
_XATTR_OVERHEAD = 7
_FILE_TYPES = frozenset(
    (
        stat.S_IFREG,
        stat.S_IFDIR,
        stat.S_IFLNK,
        stat.S_IFCHR,
        stat.S_IFBLK,
        stat.S_IFIFO,
        stat.S_IFSOCK,
    )
)


class Node:
    """One file or directory.

    Attributes:
        mode: File type and permission bits.
        uid: Owner.
        gid: Group.
        size: Bytes of content, of regular files.
        rdev: Device number, of devices.
        nlink: How many names it has; of directories it is counted here, not taken from there.
        mtime: Seconds and nanoseconds since the epoch.
        xattrs: Extended attributes, names without NUL.
        payload: Target of a symbolic link; path of the backing file of a regular file.
        content: Content to keep in the image itself, in place of a backing file.
        digest: Raw fs-verity digest that the backing file must have.
        children: Entries of a directory, in any order; empty otherwise.
    """

    __slots__ = (
        "children",
        "content",
        "digest",
        "gid",
        "mode",
        "mtime",
        "nlink",
        "payload",
        "rdev",
        "size",
        "uid",
        "xattrs",
    )

    def __init__(  # noqa: PLR0913  # fields of an inode, by keyword
        self,
        mode: int,
        *,
        uid: int = 0,
        gid: int = 0,
        size: int = 0,
        rdev: int = 0,
        nlink: int = 1,
        mtime: tuple[int, int] = (0, 0),
        xattrs: Xattrs = (),
        payload: bytes = b"",
        content: bytes | None = None,
        digest: bytes | None = None,
    ) -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size
        self.rdev = rdev
        self.nlink = nlink
        self.mtime = mtime
        self.xattrs = xattrs
        self.payload = payload
        self.content = content
        self.digest = digest
        self.children: dict[bytes, Node | HardLink] = {}

    @property
    def is_dir(self) -> bool:
        """Whether this is a directory."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_whiteout(self) -> bool:
        """Whether this is what overlayfs takes for a deleted file."""
        return stat.S_ISCHR(self.mode) and self.rdev == 0

    @property
    def has_backing_file(self) -> bool:
        """Whether the content is looked for outside the image."""
        return stat.S_ISREG(self.mode) and self.size > 0 and not self.content

    def add(self, name: bytes, child: Node | HardLink) -> None:
        """Put an entry into a directory.

        Raises:
            ErofsError: This is no directory, or there is no such name, or it is taken.
        """
        if not self.is_dir:
            raise ErofsError(f"{_shown(name)}: its parent is not a directory")
        _check_name(name)
        if name in self.children:
            raise ErofsError(f"{_shown(name)} is there twice")
        self.children[name] = child


class HardLink(NamedTuple):
    """A further name of a file that is elsewhere in the tree.

    Attributes:
        target: That file.
    """

    target: Node


def check_node(name: bytes, node: Node) -> None:
    """Refuse what no image can hold.

    Raises:
        ErofsError: The sentence names the file.
    """
    if stat.S_IFMT(node.mode) not in _FILE_TYPES:
        raise ErofsError(f"{_shown(name)}: mode {node.mode:#o} has no known file type")
    if node.children and not node.is_dir:
        raise ErofsError(f"{_shown(name)} is not a directory and has entries")
    if len(node.payload) > MAX_PAYLOAD_LENGTH:
        raise ErofsError(f"{_shown(name)}: link target or backing path is too long")
    if stat.S_ISLNK(node.mode) and not node.payload:
        raise ErofsError(f"{_shown(name)}: a symbolic link without target")
    if node.content is not None:
        if len(node.content) != node.size:
            raise ErofsError(f"{_shown(name)}: size {node.size} is not that of its content")
        if node.size > MAX_INLINE_CONTENT_BYTES:
            raise ErofsError(f"{_shown(name)}: {node.size} bytes are too many to be kept inline")
    if node.xattrs:
        _check_xattrs(name, node.xattrs)


def _check_xattrs(name: bytes, xattrs: Xattrs) -> None:
    size = _XATTRS_OVERHEAD
    for key, value in xattrs:
        if not 0 < len(key) <= MAX_NAME_LENGTH:
            raise ErofsError(f"{_shown(name)}: {key[:_SHOWN_BYTES]!r} is no name for an attribute")
        size += _XATTR_OVERHEAD + len(key) + len(value)
    if size > MAX_XATTRS_BYTES:
        raise ErofsError(f"{_shown(name)}: more extended attributes than an image can hold")


def _check_name(name: bytes) -> None:
    if not name or name in {b".", b".."} or b"/" in name or b"\0" in name:
        raise ErofsError(f"{_shown(name)} is not a file name")
    if len(name) > MAX_NAME_LENGTH:
        raise ErofsError(f"{_shown(name)} is longer than {MAX_NAME_LENGTH} bytes")


def _shown(name: bytes) -> str:
    if not name:
        return "the root directory"
    return repr(name[:_SHOWN_BYTES].decode("utf-8", "backslashreplace"))
