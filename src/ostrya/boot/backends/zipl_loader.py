# SPDX-License-Identifier: Apache-2.0
"""zipl of IBM Z: a program that writes which blocks of the disk hold kernel and ramdisk.

It reads boot entries by itself, where ``/etc/zipl.conf`` says so. A system that is not running has
its own zipl run in its tree. For Secure Execution a signed image would have to be made with the
owner's keys, which libostree does: we do not, and say so before anything is changed.

Source: ostree-bootloader-zipl.c.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import read_file
from ostrya._linux.process import run
from ostrya.boot.backends.stamp import clear_stamp, has_stamp, set_stamp
from ostrya.boot.entry_files import read_entry_files
from ostrya.boot.sandbox import run_in_tree
from ostrya.errors import BootloaderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bootloader import Boot, LoaderContext

log = logging.getLogger(__name__)

_MACHINE = "s390x"
_SECURE_EXECUTION = "/sys/firmware/uv/prot_virt_guest"
_SECURE_BOOT = "/sys/firmware/ipl/secure"
_KERNEL_LOG = "/dev/kmsg"
# Where older kernels say so, it is among the first things that they say.
_KERNEL_LOG_LINES = 5
_KERNEL_LOG_LINE_BYTES = 8192
_MAX_BYTES = 4096


class Zipl:
    """The boot loader of IBM Z."""

    name = "zipl"
    # As libostree says of it.
    is_atomic = True

    def is_active(self, context: LoaderContext) -> bool:  # noqa: ARG002  # as every loader
        """Say whether this is the machine for it; the disk does not tell."""
        return os.uname().machine == _MACHINE

    def write_config(
        self,
        context: LoaderContext,
        bootversion: int,  # noqa: ARG002  # as every loader
        boots: Sequence[Boot],  # noqa: ARG002  # the same
    ) -> None:
        """Note that zipl has to be run."""
        if _says_yes(_SECURE_EXECUTION):
            raise BootloaderError(
                "This system runs under Secure Execution, for which no boot image can be made here",
                hint="update it with libostree's ostree, which calls pvimg",
            )
        set_stamp(context)

    def after_swap(self, context: LoaderContext, bootversion: int) -> None:
        """Run zipl, if that is still to be done."""
        if not has_stamp(context):
            return
        if os.geteuid() != 0:
            log.warning("zipl has to be run as root, before the next boot")
            return
        files = read_entry_files(context.entries_dir(bootversion), dir_fd=context.sysroot_fd)
        argv = ["zipl", "--secure", "1" if _is_secure_boot() else "auto", "-V"]
        link = files[0].entry.boot_link if files else None
        if context.is_running or link is None:
            run(argv)
        else:
            run_in_tree(f"{context.path}{link}", argv, [(f"{context.path}/boot", "/boot")])
        clear_stamp(context)


def _says_yes(path: str) -> bool:
    """Say whether a file of the kernel's is there and has a 1 in it."""
    try:
        return b"1" in read_file(path, max_bytes=_MAX_BYTES)
    except FileNotFoundError:
        return False


def _is_secure_boot() -> bool:
    if os.path.exists(_SECURE_BOOT):
        return _says_yes(_SECURE_BOOT)
    try:
        fd = os.open(_KERNEL_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        # Then zipl finds out.
        return False
    try:
        lines = (os.read(fd, _KERNEL_LOG_LINE_BYTES) for _ in range(_KERNEL_LOG_LINES))
        return any(b"Secure-IPL enabled" in line for line in lines)
    except OSError:
        return False
    finally:
        os.close(fd)
