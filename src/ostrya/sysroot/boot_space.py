# SPDX-License-Identifier: Apache-2.0
"""Whether ``/boot`` has room for another kernel, asked before anything changes.

Source: ostree-sysroot-deploy.c (auto_early_prune_old_deployments).
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from errno import EINVAL, ENOSPC, ENOSYS, EOPNOTSUPP
from typing import TYPE_CHECKING

from ostrya._linux.atomic import TmpFile
from ostrya._linux.dirfd import exists, open_dir
from ostrya.boot.install import dir_bytes, kernel_bytes
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.boot_entries import find_deployment_kernel
from ostrya.sysroot.errors import BootSpaceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot

MARGIN_BYTES = 1 << 20
"""For directories, entries, and what the loader writes."""
_CANNOT_TELL = (ENOSYS, EOPNOTSUPP, EINVAL)


class BootSpace(NamedTuple):
    """What a change needs of ``/boot``.

    Attributes:
        needed_bytes: What kernels take that are not there yet.
        freed_bytes: What kernels take that are not needed afterwards.
        fits: Whether there is room for the new ones beside the old ones.
        fits_after: Whether there is once the old ones are gone.
    """

    needed_bytes: int
    freed_bytes: int
    fits: bool
    fits_after: bool


def measure_boot_space(
    sysroot: Sysroot, old: Iterable[Deployment], new: Iterable[Deployment]
) -> BootSpace:
    """Say what a change needs of ``/boot``; what is only linked needs nothing.

    Args:
        sysroot: Where.
        old: The deployments that can be booted now.
        new: Those that can be afterwards; their directories are there.

    Raises:
        KernelNotFound: One of them has none.
    """
    if not sysroot.has_own_boot:
        return BootSpace(0, 0, fits=True, fits_after=True)
    block_bytes = os.fstatvfs(sysroot.boot_fd).f_bsize
    # A directory for each stateroot and kernel; a kernel of two stateroots is there twice.
    before = {_folder(one): one for one in old}
    after = {_folder(one): one for one in new}
    needed = sum(
        _kernel_bytes(sysroot, one, block_bytes)
        for folder, one in after.items()
        if not exists(folder, dir_fd=sysroot.boot_fd)
    )
    freed = sum(
        dir_bytes(folder, sysroot.boot_fd, block_bytes)
        for folder in before
        if folder not in after and exists(folder, dir_fd=sysroot.boot_fd)
    )
    return BootSpace(
        needed,
        freed,
        fits=_has_room(sysroot.boot_fd, needed),
        fits_after=_has_room(sysroot.boot_fd, max(needed - freed, 0)),
    )


def require_boot_space(
    sysroot: Sysroot, old: Iterable[Deployment], new: Iterable[Deployment]
) -> None:
    """See that ``/boot`` has room for a change, beside what is there.

    Raises:
        BootSpaceError: It has not.
    """
    space = measure_boot_space(sysroot, old, new)
    if not space.fits:
        raise BootSpaceError(space.needed_bytes, "make room there, or undeploy what is not needed")


def _folder(deployment: Deployment) -> str:
    return f"ostree/{deployment.stateroot}-{deployment.bootcsum}"


def _kernel_bytes(sysroot: Sysroot, deployment: Deployment, block_bytes: int) -> int:
    kernel = find_deployment_kernel(sysroot, deployment)
    with ExitStack() as stack:
        fd = open_dir(deployment.path, dir_fd=sysroot.dir_fd, follow=True)
        stack.callback(os.close, fd)
        return kernel_bytes(kernel, fd, block_bytes)


def _has_room(boot_fd: int, size: int) -> bool:
    """Ask for the room, since what file systems say of it is not always what they give."""
    if size == 0:
        return True
    try:
        with TmpFile(boot_fd) as tmp:
            os.posix_fallocate(tmp.fd, 0, size + MARGIN_BYTES)
    except OSError as exc:
        if exc.errno == ENOSPC:
            return False
        if exc.errno not in _CANNOT_TELL:
            raise
        found = os.fstatvfs(boot_fd)
        return found.f_bavail * found.f_frsize >= size + MARGIN_BYTES
    return True
