# SPDX-License-Identifier: Apache-2.0
"""systemd-boot: it reads boot entries by itself, and wants to know how long to wait.

Source: systemd-boot(7), loader.conf(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import exists
from ostrya.boot.install import make_dirs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bootloader import Boot, LoaderContext

CONFIG = "boot/loader/loader.conf"
_DEFAULT = b"timeout 3\n"


class SystemdBoot:
    """systemd-boot, on the EFI system partition."""

    name = "systemd-boot"
    # Entries come and go one by one.
    is_atomic = False

    def is_active(self, context: LoaderContext) -> bool:
        """Say whether there is a ``boot/loader/loader.conf``."""
        return exists(CONFIG, dir_fd=context.sysroot_fd)

    def write_config(
        self,
        context: LoaderContext,
        bootversion: int,  # noqa: ARG002  # as every loader
        boots: Sequence[Boot],  # noqa: ARG002  # the same
    ) -> None:
        """Write ``loader.conf``, unless somebody has."""
        if not self.is_active(context):
            make_dirs("boot/loader", dir_fd=context.sysroot_fd)
            replace_file(CONFIG, _DEFAULT, dir_fd=context.sysroot_fd)

    def after_swap(self, context: LoaderContext, bootversion: int) -> None:
        """Nothing is left to do."""
