# SPDX-License-Identifier: Apache-2.0
"""The beginnings: a directory becomes a sysroot, and gets a system's place in it.

Source: ot-admin-builtin-init-fs.c; ostree-sysroot.c (ostree_sysroot_init_osname).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import ensure_dir, exists, open_dir
from ostrya.boot.install import make_dirs
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import create_repository
from ostrya.sysroot import paths
from ostrya.sysroot.errors import StaterootExists
from ostrya.sysroot.paths import check_stateroot

if TYPE_CHECKING:
    from ostrya.sysroot.sysroot import Sysroot

LATEST_EPOCH = 2
_CLASSIC_DIRS = ("dev", "home", "proc", "run", "sys")


def make_sysroot(path: str, *, epoch: int = 0) -> None:
    """Make what a directory needs to be a sysroot; what is there stays.

    Args:
        path: The directory.
        epoch: 0 for a root with mount points in it, 1 for ``boot`` and ``ostree`` alone, 2 where
            nobody but root may look into ``ostree`` besides.

    Raises:
        OSError: It cannot be made.
    """
    fd = open_dir(path, follow=True)
    try:
        ensure_dir("boot", dir_fd=fd, mode=0o755)
        if epoch == 0:
            for name in _CLASSIC_DIRS:
                ensure_dir(name, dir_fd=fd, mode=0o755)
            ensure_dir("root", dir_fd=fd, mode=0o700)
            ensure_dir("tmp", dir_fd=fd)
            os.chmod("tmp", 0o1777, dir_fd=fd)  # noqa: S103  # as everywhere
        elif epoch >= LATEST_EPOCH:
            ensure_dir("ostree", dir_fd=fd, mode=0o700)
        make_dirs(paths.REPO, dir_fd=fd)
        make_dirs(paths.DEPLOY, dir_fd=fd)
        create_repository(os.path.join(path, paths.REPO), RepoMode.BARE)
    finally:
        os.close(fd)


def make_stateroot(sysroot: Sysroot, name: str) -> None:
    """Make the place of a system: what its deployments share.

    Raises:
        StaterootExists: There is one of that name.
        SysrootError: There can be none.
    """
    folder = paths.stateroot_dir(check_stateroot(name))
    if exists(folder, dir_fd=sysroot.dir_fd):
        raise StaterootExists(name)
    os.mkdir(folder, dir_fd=sysroot.dir_fd)
    os.mkdir(paths.var_dir(name), dir_fd=sysroot.dir_fd)
    os.utime(paths.DEPLOY, dir_fd=sysroot.dir_fd)
