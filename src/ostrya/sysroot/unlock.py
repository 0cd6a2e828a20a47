# SPDX-License-Identifier: Apache-2.0
"""A writable ``/usr`` over that of the running deployment.

::

    development  gone after the next start; kept in backing/5c….0/usr-transient meanwhile
    transient    the same, but read-only until somebody mounts it otherwise for themselves
    hotfix       kept over starts, in .usr-ovl-upper of the deployment; a clone of the deployment
                 as it was is put behind it, to fall back to

Source: ostree-sysroot.c (ostree_sysroot_deployment_unlock).
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import ensure_dir, open_dir, remove_tree
from ostrya._linux.inode_flags import set_immutable
from ostrya._linux.mount import mount_overlay
from ostrya.boot.install import make_dirs
from ostrya.errors import SysrootError
from ostrya.sysroot import paths
from ostrya.sysroot.cleanup import clean_up
from ostrya.sysroot.deploy import DeployWish, deploy, write_origin
from ostrya.sysroot.deployment import Deployment, Unlocked
from ostrya.sysroot.labels import LABEL
from ostrya.sysroot.order import (
    Retain,
    merge_deployment,
    require_booted,
    with_new_deployment,
)
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.write_deployments import touch_sysroot, write_deployments
from ostrya.tree.selinux import load_policy

if TYPE_CHECKING:
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

_HOTFIX_OPTIONS = "lowerdir=usr,upperdir=.usr-ovl-upper,workdir=.usr-ovl-work"
_HOTFIX_DIRS = (".usr-ovl-upper", ".usr-ovl-work")


def unlock(sysroot: Sysroot, loaded: Loaded, how: Unlocked) -> Deployment:
    """Mount a writable ``/usr``; return the running deployment, unlocked.

    Args:
        sysroot: The running system's; it is locked.
        loaded: What it has.
        how: How long changes are kept; not NONE.

    Raises:
        NotBooted: No deployment is running.
        SysrootError: It is unlocked already, or cannot be mounted.
        OSError: Something could not be written.
    """
    deployment = require_booted(loaded)
    if deployment.unlocked is not Unlocked.NONE:
        raise SysrootError(
            f"Deployment is already in unlocked state: {deployment.unlocked.value}",
            hint="a restart locks it again, but for a hotfix, which the next upgrade ends",
        )
    if how is Unlocked.HOTFIX:
        _push_clone(sysroot, loaded, deployment)
    with ExitStack() as stack:
        root_fd = open_dir(deployment.path, dir_fd=sysroot.dir_fd, follow=True)
        stack.callback(os.close, root_fd)
        set_immutable(root_fd, immutable=False)
        if how is Unlocked.HOTFIX:
            options = _make_hotfix_dirs(root_fd)
        else:
            options = _make_transient_dirs(sysroot, deployment, root_fd, stack)
        try:
            mount_overlay(
                sysroot.running.usr_dir,
                options,
                dir_fd=root_fd,
                read_only=how is Unlocked.TRANSIENT,
            )
        except OSError as exc:
            raise SysrootError(f"Failed overlayfs mount: {exc.filename}: {exc.strerror}") from exc
    if how is Unlocked.HOTFIX:
        origin = (deployment.origin or Origin.empty()).with_unlocked(how.value)
        deployment = deployment._replace(origin=origin)
        write_origin(sysroot, deployment)
    else:
        _note(f"{sysroot.running.state_dir}/{deployment.name}", f"unlocked-{how.value}")
    touch_sysroot(sysroot)
    return deployment._replace(unlocked=how)


def _note(folder: str, name: str) -> None:
    os.makedirs(folder, mode=0o755, exist_ok=True)
    fd = open_dir(folder, follow=True)
    try:
        replace_file(name, b"", dir_fd=fd)
    finally:
        os.close(fd)


def _push_clone(sysroot: Sysroot, loaded: Loaded, deployment: Deployment) -> None:
    """Deploy the same commit once more, behind the one that is about to change."""
    clean_up(sysroot, loaded, prune_repo=False)
    merge = merge_deployment(loaded, deployment.stateroot)
    kargs = None if merge is None else merge.command_line
    wish = DeployWish(deployment.stateroot, deployment.checksum, deployment.origin, kargs)
    clone = deploy(sysroot, loaded, wish, merge)
    order = with_new_deployment(loaded.all, clone, merge, Retain(not_as_default=True))
    write_deployments(sysroot, loaded, order)


def _make_hotfix_dirs(root_fd: int) -> str:
    mode = _usr_mode(root_fd)
    for name in _HOTFIX_DIRS:
        _make_dir(name, root_fd, mode)
    return _HOTFIX_OPTIONS


def _make_transient_dirs(
    sysroot: Sysroot, deployment: Deployment, root_fd: int, stack: ExitStack
) -> str:
    mode = _usr_mode(root_fd)
    top = f"{paths.backing_dir(deployment.stateroot, deployment.name)}/usr-transient"
    # Of a start before this one nothing may be left.
    remove_tree(top, dir_fd=sysroot.dir_fd)
    make_dirs(os.path.dirname(top), dir_fd=sysroot.dir_fd, mode=0o700)
    _make_dir(top, sysroot.dir_fd, mode)
    fd = open_dir(top, dir_fd=sysroot.dir_fd)
    stack.callback(os.close, fd)
    for name in ("upper", "work"):
        _make_dir(name, fd, mode)
    label = load_policy(f"/proc/self/fd/{root_fd}").label_for("/usr", stat.S_IFDIR | mode)
    if label is not None:
        # What is seen as /usr has its label.
        for place in (f"/proc/self/fd/{fd}", f"/proc/self/fd/{fd}/upper"):
            os.setxattr(place, LABEL, label.encode() + b"\0")
    return f"lowerdir=usr,upperdir=/proc/self/fd/{fd}/upper,workdir=/proc/self/fd/{fd}/work"


def _usr_mode(root_fd: int) -> int:
    return stat.S_IMODE(os.stat("usr", dir_fd=root_fd).st_mode)


def _make_dir(name: str, dir_fd: int, mode: int) -> None:
    ensure_dir(name, dir_fd=dir_fd)
    # Whatever the umask is.
    os.chmod(name, mode, dir_fd=dir_fd)
