# SPDX-License-Identifier: Apache-2.0
"""What files and directories are to be like in a file system. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.xattrs import Xattrs


class Inode(NamedTuple):
    """What a file or directory is to be like, whoever it belongs to on this machine.

    Attributes:
        uid: Owner.
        gid: Group.
        mode: Permissions; None for those on this machine.
        xattrs: Extended attributes.
        immutable: Whether not even root may change it.
    """

    uid: int = 0
    gid: int = 0
    mode: int | None = None
    xattrs: Xattrs = ()
    immutable: bool = False


ROOTS = Inode()
