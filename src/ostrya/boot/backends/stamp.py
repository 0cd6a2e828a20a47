# SPDX-License-Identifier: Apache-2.0
"""The note that a program has yet to tell the boot loader: ``boot/ostree-bootloader-update.stamp``.

It is there from before the swap until that program has ended well, so that power may fail between.

Source: ostree-bootloader-zipl.c, ostree-bootloader-aboot.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import exists, unlink_if_exists

if TYPE_CHECKING:
    from ostrya.boot.bootloader import LoaderContext

STAMP = "boot/ostree-bootloader-update.stamp"


def set_stamp(context: LoaderContext) -> None:
    """Note that the program has to be run."""
    replace_file(STAMP, b"", dir_fd=context.sysroot_fd)


def has_stamp(context: LoaderContext) -> bool:
    """Say whether it has."""
    return exists(STAMP, dir_fd=context.sysroot_fd)


def clear_stamp(context: LoaderContext) -> None:
    """Note that it was."""
    unlink_if_exists(STAMP, dir_fd=context.sysroot_fd)
