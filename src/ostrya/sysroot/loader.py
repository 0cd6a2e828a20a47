# SPDX-License-Identifier: Apache-2.0
"""The boot loader of a sysroot."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.boot.bootloader import LoaderContext, find_bootloader

if TYPE_CHECKING:
    from ostrya.boot.bootloader import Bootloader
    from ostrya.boot.trial import Trial
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

_BOOT = "/boot"


def loader_context(sysroot: Sysroot, loaded: Loaded, trial: Trial | None = None) -> LoaderContext:
    """Return what a boot loader is told of the disk, and of what is on trial."""
    is_flat = sysroot.has_flat_boot
    # Without links /boot/x is not /x of the file system that a loader sees.
    is_whole = is_flat or sysroot.settings.bootprefix
    return LoaderContext(
        sysroot.dir_fd,
        os.path.abspath(sysroot.path),
        "" if is_whole else _BOOT,
        loaded.booted is not None,
        sysroot.options.environ,
        is_flat,
        trial,
    )


def find_loader(sysroot: Sysroot, context: LoaderContext) -> Bootloader | None:
    """Return the boot loader; None for one that reads boot entries by itself."""
    return find_bootloader(sysroot.settings.bootloader, context)


def finish_loader(sysroot: Sysroot, loaded: Loaded) -> None:
    """Let the boot loader do what it had left to do when power failed behind a swap.

    Until then it may lead to what no entry leads to any more, so that nothing can be deleted.

    Raises:
        BootloaderError: It cannot be done.
        CommandFailed: A program failed.
        OSError: Something could not be written.
    """
    context = loader_context(sysroot, loaded)
    loader = find_loader(sysroot, context)
    if loader is not None:
        loader.after_swap(context, loaded.bootversion)
