# SPDX-License-Identifier: Apache-2.0
"""The kernel of a deployment, loaded for a restart that leaves the firmware out.

Source: ostree-sysroot-deploy.c (ostree_sysroot_deployment_kexec_load).
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import open_dir, open_file_below
from ostrya._linux.kexec import load_next_kernel
from ostrya.boot.kernel import find_kernel
from ostrya.errors import BootloaderError

if TYPE_CHECKING:
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot


def load_for_kexec(sysroot: Sysroot, deployment: Deployment) -> None:
    """Load the kernel of a deployment that has its boot entry.

    Raises:
        BootloaderError: It has no kernel or no entry, or the running kernel refuses.
    """
    if deployment.entry is None:
        raise BootloaderError(f"Loading kernel into kexec: {deployment.name} has no boot entry")
    with ExitStack() as stack:
        tree_fd = open_dir(deployment.path, dir_fd=sysroot.dir_fd, follow=True)
        stack.callback(os.close, tree_fd)
        kernel = find_kernel(
            tree_fd,
            with_devicetrees=sysroot.options.with_devicetrees,
            bootcsum=deployment.bootcsum,
        )
        fds = []
        for file in (kernel.kernel, kernel.initramfs):
            if file is not None:
                fds.append(open_file_below(tree_fd, f"{kernel.folder}/{file.source}"))
                stack.callback(os.close, fds[-1])
        initramfs_fd = fds[1] if len(fds) > 1 else None
        try:
            load_next_kernel(fds[0], initramfs_fd, deployment.entry.fields.get("options", ""))
        except OSError as exc:
            raise BootloaderError(
                f"Loading kernel into kexec: {exc.filename}: {exc.strerror}",
                hint="the deployment itself is made; restart without --kexec",
            ) from exc
