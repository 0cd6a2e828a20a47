# SPDX-License-Identifier: Apache-2.0
"""Whether what a loader needs of a deployment is in ``/boot``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import open_dir_below, stat_in_root
from ostrya.errors import OstryaError
from ostrya.sysroot import paths
from ostrya.sysroot.boot_entries import find_deployment_kernel

if TYPE_CHECKING:
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot


def boot_damage(sysroot: Sysroot, deployment: Deployment) -> list[str]:
    """Say what a deployment lacks to be started: as far as sizes tell, without reading it all.

    Returns:
        A sentence for each file; nothing if a loader finds all that it needs.
    """
    try:
        kernel = find_deployment_kernel(sysroot, deployment)
    except (OstryaError, OSError) as exc:
        return [exc.message if isinstance(exc, OstryaError) else f"{exc.strerror}"]
    found = []
    folder = paths.kernel_dir(deployment.stateroot, deployment.bootcsum)
    tree_fd = open_dir_below(sysroot.dir_fd, deployment.path, follow=True)
    try:
        for file in kernel.files:
            path = f"{folder}/{file.name}"
            try:
                size = os.stat(path, dir_fd=sysroot.dir_fd).st_size
            except OSError:
                found.append(f"/{path} is not there")
                continue
            if size != stat_in_root(tree_fd, f"{kernel.folder}/{file.source}").st_size:
                found.append(f"/{path} is damaged")
    finally:
        os.close(tree_fd)
    return found
