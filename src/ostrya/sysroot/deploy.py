# SPDX-License-Identifier: Apache-2.0
"""A commit as a deployment: its tree, its ``/etc``, and what else it needs before it is booted.

::

    prepare_deployment                     finish_deployment
    ──────────────────                     ─────────────────
    the tree, by hard links                what was changed in /etc, merged
    its composefs image, if it asks        kernel arguments of the one before
    the kernel found, and hashed           SELinux: the policy, and /var's labels
    /etc from the tree's defaults          where a writable /usr may be kept
    /var, if it is empty                   the origin; the directory made immutable

A staged deployment is prepared now and finished at shutdown. Nothing of this touches the boot
loader: what is half done when power fails is no deployment, and deleted by the next cleanup.

Source: ostree-sysroot-deploy.c (sysroot_initialize_deployment, sysroot_finalize_deployment).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import (
    ensure_dir,
    exists,
    open_dir,
    unlink_if_exists,
)
from ostrya._linux.inode_flags import set_immutable
from ostrya._linux.naming import Below, names_sysroot
from ostrya._linux.trace import trace
from ostrya.boot.bls import Entry
from ostrya.boot.install import make_dirs
from ostrya.boot.kernel import MODULES, find_kernel, find_kernel_versions
from ostrya.boot.sandbox import BWRAP, run_in_tree
from ostrya.boot.trace_points import Point
from ostrya.errors import SysrootError
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.sysroot import paths
from ostrya.sysroot.cleanup import abandon_deployment, list_deployment_dirs
from ostrya.sysroot.composefs import write_image_if_wanted
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.etc_ahead import require_mergeable
from ostrya.sysroot.etc_setup import make_etc, merge_etc_from
from ostrya.sysroot.paths import DeploymentName
from ostrya.sysroot.var_setup import fill_var, label_var
from ostrya.tree.checkout import checkout_commit
from ostrya.tree.checkout_options import CheckoutOptions
from ostrya.tree.selinux import load_policy

if TYPE_CHECKING:
    from ostrya.boot.kargs import KernelArguments
    from ostrya.boot.kernel_set import KernelSet
    from ostrya.formats.checksum import Checksum
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.origin import Origin
    from ostrya.sysroot.sysroot import Sysroot

_UPDATED = ".updated"
_SELINUX_CONFIG = "etc/selinux/config"
_SEMODULE = "usr/sbin/semodule"


class DeployWish(NamedTuple):
    """What is to be deployed.

    Attributes:
        stateroot: The system that it is of.
        checksum: The commit.
        origin: Where it came from; None if nothing is known.
        kargs: The kernel's arguments; None for those of the deployment before.
        overlay_initrds: Checksums of further ramdisks.
    """

    stateroot: str
    checksum: Checksum
    origin: Origin | None = None
    kargs: KernelArguments | None = None
    overlay_initrds: tuple[str, ...] = ()


@names_sysroot
def deploy(
    sysroot: Sysroot,
    loaded: Loaded,
    wish: DeployWish,
    merge: Deployment | None,
    *,
    progress: ProgressSink = NULL_PROGRESS,
) -> Deployment:
    """Make a deployment; it is booted once `write_deployments` says so.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.
        wish: What is to be deployed.
        merge: The deployment whose ``/etc`` and kernel arguments are taken along; None for none.
        progress: Told about files.

    Raises:
        SysrootError: There is no such system, or ``/etc`` cannot be merged.
        KernelArgumentError: No boot entry can hold the arguments.
        KernelNotFound: The commit has none.
        ObjectNotFound: The repository lacks an object.
        OSError: Something could not be written. Of all these nothing is left.
    """
    if merge is not None:
        # Before anything is written; the merge looks again, since `/etc` is in use.
        require_mergeable(sysroot, merge, wish.checksum)
    deployment = prepare_deployment(sysroot, wish, progress=progress)
    try:
        return finish_deployment(sysroot, loaded, deployment, merge)
    except BaseException:
        abandon_deployment(sysroot, deployment.stateroot, deployment.name)
        raise


def prepare_deployment(
    sysroot: Sysroot, wish: DeployWish, *, progress: ProgressSink = NULL_PROGRESS
) -> Deployment:
    """Lay out the tree of a deployment, with the defaults of its ``/etc``.

    Raises:
        SysrootError: There is no such system.
        KernelArgumentError: No boot entry can hold the arguments.
        KernelNotFound: The commit has none.
        ObjectNotFound: The repository lacks an object.
        OSError: Something could not be written. Of all these nothing is left.
    """
    stateroot = wish.stateroot
    if wish.kargs is not None:
        wish.kargs.check()
    require_stateroot_dir(sysroot, stateroot)
    make_dirs(f"{paths.stateroot_dir(stateroot)}/backing", dir_fd=sysroot.dir_fd, mode=0o700)
    name = DeploymentName(wish.checksum, _next_serial(sysroot, stateroot, wish.checksum))
    make_dirs(paths.deployments_dir(stateroot), dir_fd=sysroot.dir_fd, mode=0o775)
    try:
        return _lay_out(sysroot, wish, name, progress)
    except BaseException:
        abandon_deployment(sysroot, stateroot, name)
        raise


def require_stateroot_dir(sysroot: Sysroot, stateroot: str) -> None:
    """See that a system has its place.

    Raises:
        SysrootError: It has none.
    """
    if not exists(paths.stateroot_dir(stateroot), dir_fd=sysroot.dir_fd):
        raise SysrootError(
            f"No such stateroot: {stateroot}",
            hint=f"make it with: ostrya admin stateroot-init {stateroot}",
        )


def _lay_out(
    sysroot: Sysroot, wish: DeployWish, name: DeploymentName, progress: ProgressSink
) -> Deployment:
    path = paths.deployment_dir(wish.stateroot, name)
    trace(Point.DEPLOY_BEGUN)
    checkout_commit(
        sysroot.repo,
        wish.checksum,
        path,
        options=CheckoutOptions(process_passthrough_whiteouts=True),
        dir_fd=sysroot.dir_fd,
        progress=progress,
    )
    trace(Point.DEPLOY_CHECKED_OUT)
    tree_fd = open_dir(path, dir_fd=sysroot.dir_fd)
    try:
        write_image_if_wanted(sysroot, wish.checksum, tree_fd)
        kernel = find_kernel(tree_fd, with_devicetrees=sysroot.options.with_devicetrees)
        _tell_which_kernel(sysroot, kernel, tree_fd)
        deployment = Deployment(
            wish.stateroot,
            name,
            kernel.bootcsum,
            entry=_wished_entry(wish),
            origin=wish.origin,
        )
        make_etc(sysroot, deployment, tree_fd)
        fill_var(sysroot, deployment, tree_fd)
    finally:
        os.close(tree_fd)
    trace(Point.DEPLOY_LAID_OUT)
    return deployment


def _tell_which_kernel(sysroot: Sysroot, kernel: KernelSet, tree_fd: int) -> None:
    versions = find_kernel_versions(tree_fd)
    if len(versions) > 1:
        sysroot.tell(
            f"{len(versions)} kernels in /{MODULES}: {', '.join(versions)}; what is booted is "
            f"/{kernel.folder}/{kernel.kernel.source}"
        )


def _wished_entry(wish: DeployWish) -> Entry | None:
    """Return the beginning of a boot entry: what is only known here."""
    overlays = tuple(f"/{checksum}.img" for checksum in wish.overlay_initrds)
    if wish.kargs is None and not overlays:
        return None
    fields = {} if wish.kargs is None else {"options": str(wish.kargs)}
    return Entry(fields, overlays)


def _next_serial(sysroot: Sysroot, stateroot: str, checksum: Checksum) -> int:
    serials = [
        name.serial
        for _, name in list_deployment_dirs(sysroot, stateroot)
        if name.checksum == checksum
    ]
    return max(serials, default=-1) + 1


def finish_deployment(
    sysroot: Sysroot, loaded: Loaded, deployment: Deployment, merge: Deployment | None
) -> Deployment:
    """Make a deployment ready to be booted.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.
        deployment: What `prepare_deployment` made.
        merge: The deployment whose ``/etc`` and kernel arguments are taken along; None for none.

    Raises:
        EtcConflict: A change in ``/etc`` has no place in the new tree.
        OSError: Something could not be written.
    """
    tree_fd = open_dir(deployment.path, dir_fd=sysroot.dir_fd, follow=True)
    try:
        if merge is not None:
            deployment = _with_kargs_of(deployment, merge)
            with Below(os.path.join(sysroot.path, deployment.path, "etc")):
                merge_etc_from(sysroot, merge, tree_fd)
            _refresh_policy(sysroot, deployment, tree_fd)
            trace(Point.DEPLOY_MERGED)
        unlink_if_exists(f"etc/{_UPDATED}", dir_fd=tree_fd)
        _forget_update(sysroot, loaded, deployment.stateroot)
        policy = load_policy(f"/proc/self/fd/{tree_fd}")
        booted = loaded.booted
        is_running = booted is not None and booted.stateroot == deployment.stateroot
        label_var(sysroot, deployment.stateroot, policy, is_running=is_running)
        _make_backing(sysroot, deployment, os.fstat(tree_fd))
        write_origin(sysroot, deployment)
        if not sysroot.options.mutable_deployments:
            set_immutable(tree_fd, immutable=True)
    finally:
        os.close(tree_fd)
    trace(Point.DEPLOY_FINISHED)
    return deployment


def _with_kargs_of(deployment: Deployment, merge: Deployment) -> Deployment:
    entry = deployment.entry
    if merge.entry is None or (entry is not None and "options" in entry.fields):
        return deployment
    fields = {"options": merge.entry.fields.get("options", "")}
    overlays = () if entry is None else entry.overlay_initrds
    return deployment._replace(entry=Entry(fields, overlays))


def _forget_update(sysroot: Sysroot, loaded: Loaded, stateroot: str) -> None:
    """Let services that run once after an update run at the next boot."""
    booted = loaded.booted
    if booted is not None and booted.stateroot == stateroot:
        # It may be a file system of its own.
        unlink_if_exists(f"{sysroot.running.var_dir}/{_UPDATED}")
        return
    unlink_if_exists(f"{paths.var_dir(stateroot)}/{_UPDATED}", dir_fd=sysroot.dir_fd)


def _refresh_policy(sysroot: Sysroot, deployment: Deployment, tree_fd: int) -> None:
    """Build the SELinux policy anew from the modules that the merged ``/etc`` has."""
    needed = exists(_SELINUX_CONFIG, dir_fd=tree_fd) and exists(_SEMODULE, dir_fd=tree_fd)
    if not needed or not os.path.exists(BWRAP):
        return
    tree = os.path.join(os.path.abspath(sysroot.path), deployment.path)
    if b"--refresh" in run_in_tree(tree, ["semodule", "--help"]):
        run_in_tree(tree, ["semodule", "-N", "--refresh"])


def _make_backing(sysroot: Sysroot, deployment: Deployment, root: os.stat_result) -> None:
    """Make the directories that a writable ``/usr`` or root is kept in, while it is writable."""
    top = paths.backing_dir(deployment.stateroot, deployment.name)
    for path in (top, f"{top}/root-transient", f"{top}/root-transient/work"):
        make_dirs(path, dir_fd=sysroot.dir_fd, mode=0o700)
    upper = f"{top}/root-transient/upper"
    if ensure_dir(upper, dir_fd=sysroot.dir_fd, mode=0o700):
        os.chmod(upper, stat.S_IMODE(root.st_mode), dir_fd=sysroot.dir_fd)


def write_origin(sysroot: Sysroot, deployment: Deployment) -> None:
    """Write where a deployment came from."""
    if deployment.origin is not None:
        path = paths.origin_file(deployment.stateroot, deployment.name)
        replace_file(path, deployment.origin.to_text().encode(), dir_fd=sysroot.dir_fd)
