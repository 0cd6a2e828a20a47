# SPDX-License-Identifier: Apache-2.0
"""The kernel of a tree into ``/boot``, where a boot loader finds it.

What is there already stays: its directory is named by its checksum. On the file system of the tree
a file is linked; else it is copied, and gets its name when all of it is on the disk. VFAT takes
neither owners nor modes, labels nor links.

Source: ostree-sysroot-deploy.c (install_deployment_kernel, get_kernel_layout_size).
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from errno import EMLINK, ENOSYS, EOPNOTSUPP, EPERM, EXDEV
from typing import TYPE_CHECKING

from ostrya._linux import reflink, xattr
from ostrya._linux.atomic import TmpFile
from ostrya._linux.dirfd import (
    ensure_dir,
    list_names,
    open_dir,
    open_dir_below,
    open_file_in_root,
    stat_in_root,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.boot.kernel_set import KernelSet

_SELINUX = "security.selinux"
_CANNOT_LINK = (EMLINK, EXDEV, EPERM)
_CANNOT_CHANGE = (EPERM, EOPNOTSUPP, ENOSYS)


def install_kernel(
    kernel: KernelSet,
    tree_fd: int,
    boot_fd: int,
    folder: str,
    label_for: Callable[[str, int], str | None] | None = None,
) -> None:
    """Put the files of a kernel into a directory below ``/boot``.

    Args:
        kernel: The files.
        tree_fd: The tree that has them.
        boot_fd: ``/boot``.
        folder: The directory, relative to that; made if need be.
        label_for: SELinux label by path and mode, for copies.

    Raises:
        OSError: Something could not be read or written.
    """
    make_dirs(folder, dir_fd=boot_fd, mode=0o775)
    with ExitStack() as stack:
        target_fd = open_dir_below(boot_fd, folder, follow=True)
        stack.callback(os.close, target_fd)
        for file in kernel.files:
            path = f"{kernel.folder}/{file.source}"
            if not _is_installed(path, tree_fd, file.name, target_fd):
                install_file(path, tree_fd, file.name, target_fd, label_for)
        if kernel.dtb_dir is not None:
            path = f"{kernel.folder}/{kernel.dtb_dir}"
            _install_dir(path, tree_fd, kernel.dtb_dir, target_fd, label_for)


def _install_dir(
    path: str,
    tree_fd: int,
    name: str,
    target_fd: int,
    label_for: Callable[[str, int], str | None] | None,
) -> None:
    ensure_dir(name, dir_fd=target_fd, mode=0o755)
    with ExitStack() as stack:
        from_fd = open_dir_below(tree_fd, path)
        stack.callback(os.close, from_fd)
        to_fd = open_dir(name, dir_fd=target_fd)
        stack.callback(os.close, to_fd)
        for child in sorted(list_names(from_fd)):
            inner = f"{path}/{child}"
            if stat.S_ISDIR(os.stat(child, dir_fd=from_fd, follow_symlinks=False).st_mode):
                _install_dir(inner, tree_fd, child, to_fd, label_for)
            elif not _is_installed(inner, tree_fd, child, to_fd):
                install_file(inner, tree_fd, child, to_fd, label_for)


def _is_installed(path: str, tree_fd: int, name: str, target_fd: int) -> bool:
    """Say whether a file is there; on VFAT a power cut leaves names of empty files."""
    try:
        found = os.stat(name, dir_fd=target_fd)
    except FileNotFoundError:
        return False
    if found.st_size or not stat_in_root(tree_fd, path).st_size:
        return True
    os.unlink(name, dir_fd=target_fd)
    return False


def install_file(
    path: str,
    tree_fd: int,
    name: str,
    target_fd: int,
    label_for: Callable[[str, int], str | None] | None = None,
) -> None:
    """Link or copy one file of a tree; a copy is on the disk before it has its name.

    Of a symbolic link, what it leads to is copied: beside the copy it would lead nowhere.
    """
    if _link(path, tree_fd, name, target_fd):
        return
    fd = open_file_in_root(tree_fd, path)
    try:
        found = os.fstat(fd)
        with TmpFile(target_fd) as tmp:
            reflink.copy_file_data(fd, tmp.fd, found.st_size)
            _take_owner_and_mode(tmp.fd, found)
            _set_label(tmp.fd, name, label_for)
            os.fdatasync(tmp.fd)
            tmp.replace(name, dir_fd=target_fd)
    finally:
        os.close(fd)


def _link(path: str, tree_fd: int, name: str, target_fd: int) -> bool:
    if stat.S_ISLNK(os.stat(path, dir_fd=tree_fd, follow_symlinks=False).st_mode):
        return False
    try:
        os.link(path, name, src_dir_fd=tree_fd, dst_dir_fd=target_fd, follow_symlinks=False)
    except OSError as exc:
        if exc.errno not in _CANNOT_LINK:
            raise
        return False
    return True


def _take_owner_and_mode(fd: int, found: os.stat_result) -> None:
    try:
        os.fchown(fd, found.st_uid, found.st_gid)
        os.fchmod(fd, stat.S_IMODE(found.st_mode))
    except OSError as exc:
        # VFAT has neither.
        if exc.errno not in _CANNOT_CHANGE:
            raise


def _set_label(fd: int, name: str, label_for: Callable[[str, int], str | None] | None) -> None:
    label = label_for(f"/boot/{name}", stat.S_IFREG | 0o644) if label_for else None
    if label is None:
        return
    try:
        xattr.write_xattrs(fd, ((_SELINUX.encode(), label.encode() + b"\0"),))
    except OSError as exc:
        if exc.errno not in _CANNOT_CHANGE:
            raise


def make_dirs(path: str, *, dir_fd: int, mode: int = 0o755) -> None:
    """Make a directory and those that it is in, as far as they are not there."""
    at = 0
    while at != -1:
        at = path.find("/", at + 1)
        ensure_dir(path if at == -1 else path[:at], dir_fd=dir_fd, mode=mode)


def kernel_bytes(kernel: KernelSet, tree_fd: int, block_bytes: int) -> int:
    """Return how much room a kernel takes on a file system with blocks of this size."""
    paths = [f"{kernel.folder}/{file.source}" for file in kernel.files]
    sizes = [stat_in_root(tree_fd, path).st_size for path in paths]
    total = sum(_in_blocks(size, block_bytes) for size in sizes)
    if kernel.dtb_dir is not None:
        total += dir_bytes(f"{kernel.folder}/{kernel.dtb_dir}", tree_fd, block_bytes)
    return total


def dir_bytes(name: str, dir_fd: int, block_bytes: int) -> int:
    """Return how much room the files in a directory take."""
    fd = open_dir(name, dir_fd=dir_fd, follow=True)
    try:
        total = 0
        for child in list_names(fd):
            found = os.stat(child, dir_fd=fd, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                total += dir_bytes(child, fd, block_bytes)
            else:
                total += _in_blocks(found.st_size, block_bytes)
        return total
    finally:
        os.close(fd)


def _in_blocks(size: int, block_bytes: int) -> int:
    return -(-size // block_bytes) * block_bytes
