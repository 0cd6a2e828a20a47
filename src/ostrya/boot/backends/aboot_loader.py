# SPDX-License-Identifier: Apache-2.0
"""Android's boot loader: the default tree's boot image, written to a partition by ``aboot-deploy``.

Source: ostree-bootloader-aboot.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.process import run
from ostrya.boot.backends.stamp import clear_stamp, has_stamp, set_stamp
from ostrya.boot.entry_files import read_entry_files
from ostrya.boot.errors import EntryInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bls import Entry
    from ostrya.boot.bootloader import Boot, LoaderContext

_NEEDED = ("aboot", "abootcfg", "version", "linux", "initrd", "options")


class Aboot:
    """Android's boot loader, with one image for each of two slots."""

    name = "aboot"
    # As libostree says of it.
    is_atomic = True

    def is_active(self, context: LoaderContext) -> bool:  # noqa: ARG002  # as every loader
        """It is never found by itself: nothing on the disk tells."""
        return False

    def write_config(
        self,
        context: LoaderContext,
        bootversion: int,  # noqa: ARG002  # as every loader
        boots: Sequence[Boot],
    ) -> None:
        """Note that the image has to be written."""
        if not boots:
            raise EntryInvalid("aboot: no bls config")
        _check(boots[0].entry)
        set_stamp(context)

    def after_swap(self, context: LoaderContext, bootversion: int) -> None:
        """Let the image be written, if that is still to be done."""
        if not has_stamp(context):
            return
        files = read_entry_files(context.entries_dir(bootversion), dir_fd=context.sysroot_fd)
        if not files:
            raise EntryInvalid("aboot: no bls config")
        fields = _check(files[0].entry).fields
        argv = ["aboot-deploy", "-r", ".", "-c", fields["abootcfg"]]
        run([*argv, "-o", fields["options"], fields["aboot"]], cwd=context.path)
        clear_stamp(context)


def _check(entry: Entry) -> Entry:
    for key in _NEEDED:
        if key not in entry.fields:
            raise EntryInvalid(
                f'aboot: no "{key}" key in bootloader config',
                hint="the tree lacks usr/lib/modules/VERSION/aboot.img, or its ramdisk",
            )
    return entry
