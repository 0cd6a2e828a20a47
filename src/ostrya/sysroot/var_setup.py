# SPDX-License-Identifier: Apache-2.0
"""The ``/var`` that all deployments of a stateroot share.

The first deployment fills it, if its tree has anything there; after that it is never touched.

Source: ostree-sysroot-deploy.c (prepare_deployment_var, selinux_relabel_var_if_needed).
"""

from __future__ import annotations

import os
import stat
from errno import EBUSY, EXDEV
from typing import TYPE_CHECKING

from ostrya._linux.copying import copy_dir_attributes
from ostrya._linux.dirfd import (
    ensure_dir,
    exists,
    list_names,
    open_dir,
    remove_tree,
)
from ostrya._linux.durability import sync_filesystem
from ostrya.sysroot import paths
from ostrya.sysroot.labels import label_tree
from ostrya.tree.checkout import checkout_commit
from ostrya.tree.checkout_options import CheckoutOptions, Overwrite

if TYPE_CHECKING:
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot
    from ostrya.tree.selinux import SelinuxPolicy

_TMPFILES = "usr/lib/tmpfiles.d"
_LABELLED = ".ostree-selabeled"
_CREATE = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRS = (("tmp", 0o1777), ("lib", 0o777), ("log", 0o755))
_LINKS = (("run", "../run"), ("lock", "../run/lock"))


def fill_var(sysroot: Sysroot, deployment: Deployment, tree_fd: int) -> None:
    """Copy the tree's ``/var`` to the stateroot, if nothing is there yet.

    It appears whole: half of it would be taken for what the system has made of it.
    """
    if not exists("var", dir_fd=tree_fd):
        return
    path = paths.var_dir(deployment.stateroot)
    new = f"{path}.new"
    remove_tree(new, dir_fd=sysroot.dir_fd)
    fd = open_dir(path, dir_fd=sysroot.dir_fd, follow=True)
    try:
        if list_names(fd):
            return
        os.mkdir(new, mode=0o700, dir_fd=sysroot.dir_fd)
        new_fd = open_dir(new, dir_fd=sysroot.dir_fd, follow=True)
        try:
            _lay_out(sysroot, deployment, tree_fd, new)
            copy_dir_attributes(fd, new_fd, with_xattrs=sysroot.options.with_xattrs)
            sync_filesystem(new_fd)
        finally:
            os.close(new_fd)
        try:
            os.rename(new, path, src_dir_fd=sysroot.dir_fd, dst_dir_fd=sysroot.dir_fd)
        except OSError as exc:
            # It is a file system of its own.
            if exc.errno not in (EBUSY, EXDEV):
                raise
            remove_tree(new, dir_fd=sysroot.dir_fd)
            _lay_out(sysroot, deployment, tree_fd, path)
    finally:
        os.close(fd)


def _lay_out(sysroot: Sysroot, deployment: Deployment, tree_fd: int, path: str) -> None:
    options = CheckoutOptions(force_copy=True, overwrite=Overwrite.UNION_FILES)
    checkout_commit(
        sysroot.repo,
        deployment.checksum,
        path,
        options=options,
        subpath="/var",
        dir_fd=sysroot.dir_fd,
    )
    if not exists(_TMPFILES, dir_fd=tree_fd):
        # Nothing makes these at boot, and old systems expect them.
        _make_skeleton(path, sysroot.dir_fd)


def _make_skeleton(path: str, dir_fd: int) -> None:
    for name, mode in _DIRS:
        ensure_dir(f"{path}/{name}", dir_fd=dir_fd, mode=mode)
        if mode & stat.S_ISVTX:
            os.chmod(f"{path}/{name}", mode, dir_fd=dir_fd)
    for name, target in _LINKS:
        if not exists(f"{path}/{name}", dir_fd=dir_fd):
            os.symlink(target, f"{path}/{name}", dir_fd=dir_fd)


def label_var(
    sysroot: Sysroot, stateroot: str, policy: SelinuxPolicy, *, is_running: bool = False
) -> None:
    """Label a stateroot's ``/var`` once, where there is a policy; a note says that it is done.

    Args:
        sysroot: Where.
        stateroot: Which one.
        policy: The labels.
        is_running: Whether it is the running system's, which may be a file system of its own.
    """
    if is_running:
        fd = open_dir(sysroot.running.var_dir, follow=True)
    else:
        fd = open_dir(paths.var_dir(stateroot), dir_fd=sysroot.dir_fd, follow=True)
    try:
        if exists(_LABELLED, dir_fd=fd):
            return
        sysroot.tell(f"Relabeling /var (no stamp file 'var/{_LABELLED}' found)")
        if policy.name is not None:
            label_tree(fd, "/var", policy)
        # Empty as it is, it cannot be there by half.
        os.close(os.open(_LABELLED, _CREATE, 0o644, dir_fd=fd))
    finally:
        os.close(fd)
