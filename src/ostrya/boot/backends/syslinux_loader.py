# SPDX-License-Identifier: Apache-2.0
"""SYSLINUX and EXTLINUX: their ``syslinux.cfg``, in the directory that ``boot/loader`` leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import exists, read_file
from ostrya.boot.backends.syslinux import CONFIG, make_syslinux

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bootloader import Boot, LoaderContext

_CONFIG = f"boot/syslinux/{CONFIG}"
_OLD = f"boot/loader/{CONFIG}"
_MAX_BYTES = 1 << 20


class Syslinux:
    """SYSLINUX, whose own configuration is a link to ours."""

    name = "syslinux"
    # It reads its configuration through the link.
    is_atomic = True

    def is_active(self, context: LoaderContext) -> bool:
        """Say whether there is a ``boot/syslinux/syslinux.cfg``."""
        return exists(_CONFIG, dir_fd=context.sysroot_fd)

    def write_config(self, context: LoaderContext, bootversion: int, boots: Sequence[Boot]) -> None:
        """Write ``syslinux.cfg``, with what others wrote into the one before."""
        try:
            old = read_file(_OLD, dir_fd=context.sysroot_fd, max_bytes=_MAX_BYTES)
        except FileNotFoundError:
            old = b""
        text = make_syslinux(
            old.decode(errors="surrogateescape"),
            [boot.entry for boot in boots],
            prefix=context.prefix,
        )
        path = f"{context.loader_dir(bootversion)}/{CONFIG}"
        data = text.encode(errors="surrogateescape")
        replace_file(path, data, dir_fd=context.sysroot_fd)

    def after_swap(self, context: LoaderContext, bootversion: int) -> None:
        """Nothing is left to do."""
