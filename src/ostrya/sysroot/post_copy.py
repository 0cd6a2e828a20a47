# SPDX-License-Identifier: Apache-2.0
"""What a sysroot lacks after its files were copied: seals, which no copy takes along.

Source: ostree-sysroot-cleanup.c (ostree_sysroot_update_post_copy).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import OPEN_FILE
from ostrya._linux.fsverity import try_enable
from ostrya.errors import SysrootError
from ostrya.formats.object_name import loose_path
from ostrya.repo.config import Tristate
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import iter_objects
from ostrya.sysroot import paths
from ostrya.sysroot.cleanup import list_deployment_dirs
from ostrya.sysroot.composefs import IMAGE

if TYPE_CHECKING:
    from ostrya.sysroot.sysroot import Sysroot


def seal_copied(sysroot: Sysroot) -> int:
    """Seal with fs-verity what the repository wants sealed; return how many files are.

    Raises:
        SysrootError: The repository asks for seals, and the file system has none.
    """
    repo = sysroot.repo
    wanted = repo.config.fsverity
    if wanted is Tristate.NO:
        return 0
    sealed = 0
    for name in iter_objects(repo):
        path = loose_path(name, archive=repo.mode == RepoMode.ARCHIVE)
        is_sealed = _seal(path, repo.objects_fd)
        if is_sealed is False:
            return _cannot(wanted, sealed)
        sealed += is_sealed is True
    for stateroot, deployment in list_deployment_dirs(sysroot):
        path = f"{paths.deployment_dir(stateroot, deployment)}/{IMAGE}"
        is_sealed = _seal(path, sysroot.dir_fd)
        if is_sealed is False:
            return _cannot(wanted, sealed)
        sealed += is_sealed is True
    return sealed


def _cannot(wanted: Tristate, sealed: int) -> int:
    if wanted is Tristate.YES:
        raise SysrootError(
            "fsverity required but filesystem does not support it",
            hint="set ex-integrity.fsverity to maybe, or use a file system with fs-verity",
        )
    return sealed


def _seal(path: str, dir_fd: int) -> bool | None:
    """Seal a file; None for one that is not there or is a link, False if it cannot be."""
    try:
        found = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    fd = os.open(path, OPEN_FILE, dir_fd=dir_fd)
    try:
        return try_enable(fd, allow_existing=True)
    finally:
        os.close(fd)
