# SPDX-License-Identifier: Apache-2.0
"""U-Boot: its ``uEnv.txt``, in the directory that ``boot/loader`` leads to.

And ``extlinux.conf``, where ``boot/extlinux/extlinux.conf`` says that U-Boot reads that.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import FileTooLargeError, exists, open_dir, open_file_below, read_fd
from ostrya.boot.backends.extlinux import CONFIG as EXTLINUX_CONFIG
from ostrya.boot.backends.extlinux import make_extlinux
from ostrya.boot.backends.uboot import (
    CONFIG,
    TREES_OWN,
    fallback_lines,
    lines_of_tree,
    make_uenv,
)
from ostrya.boot.backends.uboot_trial import TREES_OWN_NAMES, trial_lines
from ostrya.errors import BootloaderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bootloader import Boot, LoaderContext

_EXTLINUX = f"boot/extlinux/{EXTLINUX_CONFIG}"
_MAX_BYTES = 1 << 20


class UBoot:
    """U-Boot with a script that imports ``uEnv.txt``."""

    name = "uboot"
    # Scripts read it through the link.
    is_atomic = True

    def is_active(self, context: LoaderContext) -> bool:
        """Say whether there is a ``boot/loader/uEnv.txt``, perhaps an empty one."""
        has_file = exists(f"boot/loader/{CONFIG}", dir_fd=context.sysroot_fd)
        return has_file or exists(_EXTLINUX, dir_fd=context.sysroot_fd)

    def write_config(self, context: LoaderContext, bootversion: int, boots: Sequence[Boot]) -> None:
        """Write ``uEnv.txt``."""
        trees_own = None if not boots else _read_trees_own(context, boots[0])
        if trees_own is not None and context.trial is not None:
            trees_own = lines_of_tree(trees_own)
        prefix = "" if context.is_flat else "/boot"
        text = make_uenv([boot.entry for boot in boots], trees_own, prefix=prefix)
        if context.trial is not None:
            # The second one may be a bad release, if there is nothing to fall back to.
            has_fallback = context.trial.fallback is not None and len(boots) > 1
            second = _read_trees_own(context, boots[1]) if has_fallback else None
            more = [] if second is None else fallback_lines(second, TREES_OWN_NAMES)
            text += "".join(f"{line}\n" for line in [*more, *trial_lines(context.trial)])
        path = f"{context.loader_dir(bootversion)}/{CONFIG}"
        replace_file(path, text.encode(errors="surrogateescape"), dir_fd=context.sysroot_fd)
        if exists(_EXTLINUX, dir_fd=context.sysroot_fd):
            menu = make_extlinux([boot.entry for boot in boots], prefix=prefix)
            path = f"{context.loader_dir(bootversion)}/{EXTLINUX_CONFIG}"
            replace_file(path, menu.encode(errors="surrogateescape"), dir_fd=context.sysroot_fd)

    def after_swap(self, context: LoaderContext, bootversion: int) -> None:
        """Nothing is left to do."""


def _read_trees_own(context: LoaderContext, boot: Boot) -> str | None:
    # In a running system the way there begins with a link.
    tree_fd = open_dir(boot.root, dir_fd=context.sysroot_fd, follow=True)
    try:
        fd = open_file_below(tree_fd, TREES_OWN)
    except FileNotFoundError:
        return None
    finally:
        os.close(tree_fd)
    try:
        return read_fd(fd, max_bytes=_MAX_BYTES).decode(errors="surrogateescape")
    except FileTooLargeError:
        raise BootloaderError(f"{boot.root}/{TREES_OWN} has more than {_MAX_BYTES} bytes") from None
    finally:
        os.close(fd)
