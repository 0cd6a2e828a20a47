# SPDX-License-Identifier: Apache-2.0
"""A kernel loaded beside the running one: the next restart starts it, without the firmware.

Source: kexec_file_load(2).
"""

from __future__ import annotations

import ctypes
import os
from errno import ENOSYS

# Of architectures whose kernels can be loaded by descriptor.
_CALLS = {"x86_64": 320, "aarch64": 294, "riscv64": 294, "ppc64le": 382, "s390x": 381}
_NO_INITRAMFS = 4


def load_next_kernel(kernel_fd: int, initramfs_fd: int | None, arguments: str) -> None:
    """Load a kernel, its ramdisk if it has one, and its arguments.

    Raises:
        OSError: The running kernel cannot do that, or may not: ENOSYS, EPERM; or the other one is
            not signed as it asks for.
    """
    number = _CALLS.get(os.uname().machine)
    if number is None:
        raise OSError(ENOSYS, os.strerror(ENOSYS), "kexec_file_load")
    libc = ctypes.CDLL(None, use_errno=True)
    text = os.fsencode(arguments) + b"\0"
    result = libc.syscall(
        ctypes.c_long(number),
        ctypes.c_int(kernel_fd),
        ctypes.c_int(-1 if initramfs_fd is None else initramfs_fd),
        ctypes.c_ulong(len(text)),
        text,
        ctypes.c_ulong(_NO_INITRAMFS if initramfs_fd is None else 0),
    )
    if result != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), "kexec_file_load")
