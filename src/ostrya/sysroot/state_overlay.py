# SPDX-License-Identifier: Apache-2.0
"""A writable layer over a directory of the tree, ``/opt`` for instance, kept in ``/var``.

::

    /var/ostree/state-overlays/opt/upper     what was written; an attribute says over which commit
    /var/ostree/state-overlays/opt/work      the kernel's own

With another commit below, what was written over its files goes, so that the new ones are seen;
what has no counterpart there stays.

Source: ot-admin-builtin-state-overlay.c.
"""

from __future__ import annotations

import os
import stat
from errno import ENODATA
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import ensure_dir, list_names, open_dir, remove_tree
from ostrya._linux.mount import mount_overlay
from ostrya.errors import SysrootError
from ostrya.sysroot.errors import NotBooted

if TYPE_CHECKING:
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

_PLACE = "ostree/state-overlays"
_COMMIT = "user.ostree.deploymentcsum"
_OPAQUE = "trusted.overlay.opaque"


def mount_state_overlay(sysroot: Sysroot, loaded: Loaded, name: str, path: str) -> None:
    """Mount what is kept under a name over a directory of the running system.

    Raises:
        NotBooted: No deployment is running.
        SysrootError: It is no name, or the kernel does not mount it.
        OSError: Something could not be read or written.
    """
    if loaded.booted is None:
        raise NotBooted("Must be booted into an OSTree deployment")
    if not name or "/" in name or name in {".", ".."} or any(mark in name for mark in ":,\\"):
        raise SysrootError(f"Invalid name of a state overlay: '{name}'")
    layers = f"{sysroot.running.var_dir}/{_PLACE}/{name}"
    os.makedirs(layers, mode=0o700, exist_ok=True)
    fd = open_dir(layers, follow=True)
    try:
        for layer in ("work", "upper"):
            ensure_dir(layer, dir_fd=fd, mode=0o700)
        _renew(fd, path, loaded.booted.checksum)
        options = f"lowerdir={path},upperdir={layers}/upper,workdir={layers}/work"
        try:
            mount_overlay(path, options, dir_fd=fd)
        except OSError as exc:
            raise SysrootError(f"mount({path}): {exc.strerror}") from exc
    finally:
        os.close(fd)


def _renew(layers_fd: int, path: str, checksum: str) -> None:
    upper = f"/proc/self/fd/{layers_fd}/upper"
    if _attribute(upper, _COMMIT) == checksum.encode():
        return
    lower_fd = open_dir(path, follow=True)
    try:
        upper_fd = open_dir("upper", dir_fd=layers_fd)
        try:
            drop_shadows(lower_fd, upper_fd)
        finally:
            os.close(upper_fd)
    finally:
        os.close(lower_fd)
    os.setxattr(upper, _COMMIT, checksum.encode())


def drop_shadows(lower_fd: int, upper_fd: int) -> None:
    """Delete from an upper layer what hides something of the lower one; directories merge."""
    for name in list_names(upper_fd):
        try:
            below = os.stat(name, dir_fd=lower_fd, follow_symlinks=False)
        except FileNotFoundError:
            continue
        above = os.stat(name, dir_fd=upper_fd, follow_symlinks=False)
        both = stat.S_ISDIR(below.st_mode) and stat.S_ISDIR(above.st_mode)
        if not both or _attribute(f"/proc/self/fd/{upper_fd}/{name}", _OPAQUE) == b"y":
            remove_tree(name, dir_fd=upper_fd)
            continue
        inner_lower_fd = open_dir(name, dir_fd=lower_fd)
        try:
            inner_upper_fd = open_dir(name, dir_fd=upper_fd)
            try:
                drop_shadows(inner_lower_fd, inner_upper_fd)
            finally:
                os.close(inner_upper_fd)
        finally:
            os.close(inner_lower_fd)


def _attribute(path: str, name: str) -> bytes | None:
    try:
        return os.getxattr(path, name)
    except OSError as exc:
        if exc.errno == ENODATA:
            return None
        raise
