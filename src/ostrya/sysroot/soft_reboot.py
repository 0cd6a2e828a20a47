# SPDX-License-Identifier: Apache-2.0
"""A restart without the kernel: another deployment's root is put together at ``/run/nextroot``.

``systemctl soft-reboot`` ends all services and goes on there. Only what needs no other kernel can
be gone over to, and only what is mounted from its directory: not a root that is a composefs image.

::

    /run/nextroot           the deployment
    /run/nextroot/usr       read-only
    /run/nextroot/sysroot   the disk
    /run/nextroot/var       the stateroot's
    /run/nextroot/boot      where it is a file system of its own
    /run/ostree/nextroot-booted    says which deployment that is

Source: ostree-sysroot-deploy.c (ostree_sysroot_deployment_set_soft_reboot); otcore.h.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import exists, open_dir, unlink_if_exists
from ostrya._linux.mount import Bind, bind_for_system, unmount_for_system
from ostrya._linux.process import run
from ostrya.errors import SysrootError
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot import paths
from ostrya.sysroot.composefs import IMAGE
from ostrya.sysroot.order import require_booted
from ostrya.sysroot.staged import NEXT_BOOTED, next_root
from ostrya.sysroot.write_deployments import touch_sysroot, write_deployments

if TYPE_CHECKING:
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

_KEY_ROOT = "backing-root-device-inode"


class Places(NamedTuple):
    """Where things are on the running system.

    Attributes:
        next_root: Where the next root is put together.
        sysroot: The disk.
        boot: The boot loader's file system.
    """

    next_root: str = "/run/nextroot"
    sysroot: str = "/sysroot"
    boot: str = "/boot"


PLACES = Places()


def prepare_soft_reboot(
    sysroot: Sysroot, loaded: Loaded, index: int, places: Places = PLACES
) -> Deployment:
    """Put the root of a deployment together, for the next soft reboot; return the deployment.

    Args:
        sysroot: The running system's; it is locked.
        loaded: What it has.
        index: Which deployment.
        places: Where things are.

    Raises:
        NotBooted: No deployment is running.
        SysrootError: It is the running one, or needs another kernel or a composefs image.
        OSError: The kernel refuses to mount something; then nothing is mounted.
    """
    booted = require_booted(loaded)
    target = loaded.all[index]
    if target.booted:
        raise SysrootError(f"Cannot prepare for soft-reboot currently booted deployment {index}")
    same_kargs = target.kargs is None or target.kargs == booted.kargs
    if target.bootcsum != booted.bootcsum or not same_kargs:
        raise SysrootError(
            "Cannot soft-reboot to deployment with different kernel state",
            hint="it has another kernel, or other kernel arguments: reboot instead",
        )
    tree_fd = open_dir(target.path, dir_fd=sysroot.dir_fd, follow=True)
    try:
        if exists(IMAGE, dir_fd=tree_fd):
            raise SysrootError(
                f"Cannot soft-reboot to deployment {index}: its root is a composefs image, which "
                "only the ramdisk mounts",
                hint="reboot instead",
            )
        root = os.fstat(tree_fd)
    finally:
        os.close(tree_fd)
    if sysroot.running.finalize_service:
        run(["systemctl", "start", "--quiet", sysroot.running.finalize_service])
    if loaded.staged is not None and not target.staged:
        write_deployments(sysroot, loaded, loaded.deployments)
    clear_soft_reboot(sysroot, places)
    os.makedirs(places.next_root, mode=0o755, exist_ok=True)
    try:
        bind_for_system(_binds(sysroot, target, places))
        _note(sysroot, root)
    except BaseException:
        clear_soft_reboot(sysroot, places)
        raise
    touch_sysroot(sysroot)
    return target._replace(soft_reboot=True)


def _binds(sysroot: Sysroot, target: Deployment, places: Places) -> list[Bind]:
    top = places.next_root
    tree = f"{places.sysroot}/{target.path}"
    binds = [
        Bind(tree, top),
        Bind(f"{top}/usr", f"{top}/usr", read_only=True),
        Bind(places.sysroot, f"{top}/sysroot"),
    ]
    booted_var = f"{places.sysroot}/{paths.var_dir(target.stateroot)}"
    # It may be a file system of its own, mounted where it is used.
    var = sysroot.running.var_dir if os.path.ismount(sysroot.running.var_dir) else booted_var
    binds.append(Bind(var, f"{top}/var"))
    if os.path.ismount(places.boot):
        binds.append(Bind(places.boot, f"{top}/boot"))
    return [bind for bind in binds if os.path.isdir(bind.source.replace(top, tree, 1))]


def _note(sysroot: Sysroot, root: os.stat_result) -> None:
    """Say which deployment it is, as the ramdisk says of the running one."""
    os.makedirs(sysroot.running.run_dir, mode=0o755, exist_ok=True)
    note = VarDict.of({_KEY_ROOT: Variant("(tt)", (root.st_dev, root.st_ino))})
    fd = open_dir(sysroot.running.run_dir, follow=True)
    try:
        replace_file(NEXT_BOOTED, encode_variant("a{sv}", note), dir_fd=fd, durable=False)
    finally:
        os.close(fd)


def clear_soft_reboot(sysroot: Sysroot, places: Places = PLACES) -> None:
    """Take the next root away, if there is one.

    Raises:
        OSError: The kernel refuses.
    """
    if next_root(sysroot) is not None or os.path.ismount(places.next_root):
        unmount_for_system(places.next_root)
    unlink_if_exists(f"{sysroot.running.run_dir}/{NEXT_BOOTED}")
    with suppress(OSError):
        os.rmdir(places.next_root)
