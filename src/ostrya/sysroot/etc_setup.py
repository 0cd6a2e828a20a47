# SPDX-License-Identifier: Apache-2.0
"""The ``/etc`` of a new deployment: a copy of its tree's defaults, and what was changed here.

Source: ostree-sysroot-deploy.c (prepare_deployment_etc, merge_configuration_from).
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import exists, list_names, open_dir, open_dir_below
from ostrya.errors import SysrootError
from ostrya.sysroot.etc_merge import MergeCounts, merge_etc
from ostrya.tree.checkout import checkout_commit
from ostrya.tree.checkout_options import CheckoutOptions
from ostrya.tree.selinux import load_policy

if TYPE_CHECKING:
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot

_DEFAULTS = "usr/etc"


def make_etc(sysroot: Sysroot, deployment: Deployment, tree_fd: int) -> None:
    """Copy the tree's defaults to ``etc``, where people may edit them.

    Raises:
        SysrootError: The tree has both ``/etc`` and ``/usr/etc``.
    """
    source = _DEFAULTS
    has_defaults = exists(_DEFAULTS, dir_fd=tree_fd)
    if exists("etc", dir_fd=tree_fd):
        if _is_populated(tree_fd):
            if has_defaults:
                raise SysrootError(
                    "Tree contains both /etc and /usr/etc",
                    hint="move what is in /etc to /usr/etc before it is committed",
                )
            os.rename("etc", _DEFAULTS, src_dir_fd=tree_fd, dst_dir_fd=tree_fd)
            source, has_defaults = "etc", True
        elif has_defaults:
            os.rmdir("etc", dir_fd=tree_fd)
    if not has_defaults:
        return
    policy = load_policy(f"/proc/self/fd/{tree_fd}")
    options = CheckoutOptions(
        force_copy=True,
        label_for=policy.label_for if policy.name is not None else None,
        label_prefix="/etc",
    )
    checkout_commit(
        sysroot.repo,
        deployment.checksum,
        f"{deployment.path}/etc",
        options=options,
        subpath=f"/{source}",
        dir_fd=sysroot.dir_fd,
    )


def _is_populated(tree_fd: int) -> bool:
    fd = open_dir("etc", dir_fd=tree_fd)
    try:
        return bool(list_names(fd))
    finally:
        os.close(fd)


def merge_etc_from(sysroot: Sysroot, merge: Deployment, tree_fd: int) -> MergeCounts | None:
    """Do again in a new ``etc`` what was changed in that of another deployment.

    Returns:
        How many changes there were; None where the other one has no ``/etc``.

    Raises:
        EtcConflict: A change has no place in the new tree; nothing was changed.
    """
    with ExitStack() as stack:
        old_fd = open_dir(merge.path, dir_fd=sysroot.dir_fd, follow=True)
        stack.callback(os.close, old_fd)
        if not (exists(_DEFAULTS, dir_fd=old_fd) and exists("etc", dir_fd=old_fd)):
            return None
        fds = []
        for path, fd in ((_DEFAULTS, old_fd), ("etc", old_fd), ("etc", tree_fd)):
            fds.append(open_dir_below(fd, path))
            stack.callback(os.close, fds[-1])
        return merge_etc(
            *fds,
            with_xattrs=sysroot.options.with_xattrs,
            on_skipped=lambda path: sysroot.tell(
                f"Ignoring non-regular/non-symlink file found during /etc merge: {path}"
            ),
            on_counted=lambda counts: sysroot.tell(
                f"Copying /etc changes: {counts.modified} modified, {counts.removed} removed, "
                f"{counts.added} added"
            ),
        )
