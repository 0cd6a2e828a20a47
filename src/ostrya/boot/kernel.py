# SPDX-License-Identifier: Apache-2.0
"""The kernel of a tree, its ramdisk and its device trees; where they are, and their checksum.

::

    usr/lib/modules/6.1.0/             first
        vmlinuz
        initramfs.img                  or initramfs; a tree may do without
        devicetree                     one file, or a directory dtb/
        .vmlinuz.hmac                  where the kernel checks itself
        aboot.img                      for Android's boot loader
    usr/lib/ostree-boot/               else, or where only this has a ramdisk
    boot/                              else
        vmlinuz-6.1.0-CHECKSUM
        initramfs-6.1.0-CHECKSUM
        devicetree-6.1.0-CHECKSUM

Deployments whose boot checksum is the same share one copy in ``/boot``.

Source: ostree-sysroot-deploy.c (get_kernel_from_tree).
"""

from __future__ import annotations

import os
import re
import stat
from errno import ENOENT, ENOTDIR
from hashlib import sha256
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import (
    exists,
    list_names,
    open_dir_below,
    open_file_in_root,
    read_chunks,
    stat_in_root,
)
from ostrya.boot.bls import version_key
from ostrya.boot.errors import KernelNotFound
from ostrya.boot.kernel_set import KernelFile, KernelSet
from ostrya.formats.checksum import is_checksum

if TYPE_CHECKING:
    from hashlib import _Hash

MODULES = "usr/lib/modules"
_LEGACY = ("usr/lib/ostree-boot", "boot")
_INITRAMFS = ("initramfs.img", "initramfs")
_PLAIN = re.compile(r"[A-Za-z0-9._+~:@=,%-]+")
_LEGACY_KINDS = ("vmlinuz", "initramfs", "devicetree")


def find_kernel(
    tree_fd: int, *, with_devicetrees: bool = True, bootcsum: str | None = None
) -> KernelSet:
    """Find the kernel of a tree.

    Where there are several, that of the greatest version is taken. libostree takes the one that
    its directory lists first: what it has deployed is found by the checksum.

    Args:
        tree_fd: The root directory of the tree.
        with_devicetrees: Whether device trees belong to it.
        bootcsum: The one to take of several, if it is there.

    Raises:
        KernelNotFound: There is none, or its ramdisk is another kernel's.
        OSError: Something cannot be read.
    """
    modern = _find_modern(tree_fd, bootcsum, with_devicetrees=with_devicetrees)
    if modern is not None and modern.initramfs is not None:
        return modern
    legacy = _find_legacy(tree_fd, bootcsum)
    if legacy is not None and (modern is None or legacy.initramfs is not None):
        return legacy
    if modern is None:
        raise KernelNotFound(
            "Failed to find kernel in /usr/lib/modules, /usr/lib/ostree-boot or /boot",
            hint="put it into /usr/lib/modules/VERSION/vmlinuz, and its ramdisk beside it, "
            "as initramfs.img",
        )
    return modern


def find_kernel_versions(tree_fd: int) -> list[str]:
    """Return the versions of the kernels in ``usr/lib/modules``, the greatest first.

    Raises:
        KernelNotFound: A boot loader could take the name of one for something else.
    """
    fd = _open_if_there(tree_fd, MODULES)
    if fd == -1:
        return []
    try:
        versions = [name for name in list_names(fd) if _has_kernel(name, fd, tree_fd)]
    finally:
        os.close(fd)
    for name in versions:
        _require_plain(MODULES, name)
    return sorted(versions, key=kernel_version_key, reverse=True)


def _require_plain(folder: str, name: str) -> None:
    """Refuse a name that is more than one word, or a command, in a boot loader's language."""
    if not _PLAIN.fullmatch(name):
        raise KernelNotFound(
            f"'{folder}/{name}': no boot loader is told of a name with other characters than "
            "letters, digits and ._+~:@=,%-"
        )


def kernel_version_key(version: str) -> tuple[object, ...]:
    """Return what kernels of one tree are ordered by."""
    return version_key(version), version


def _find_modern(tree_fd: int, bootcsum: str | None, *, with_devicetrees: bool) -> KernelSet | None:
    versions = find_kernel_versions(tree_fd)
    first = None
    for version in versions:
        fd = open_dir_below(tree_fd, f"{MODULES}/{version}", follow=True)
        try:
            found = _read_modern(version, fd, tree_fd, with_devicetrees=with_devicetrees)
        finally:
            os.close(fd)
        if bootcsum in (None, found.bootcsum):
            return found
        first = first or found
    return first


def _has_kernel(version: str, fd: int, tree_fd: int) -> bool:
    if not stat.S_ISDIR(os.stat(version, dir_fd=fd, follow_symlinks=False).st_mode):
        return False
    try:
        return stat.S_ISREG(stat_in_root(tree_fd, f"{MODULES}/{version}/vmlinuz").st_mode)
    except FileNotFoundError:
        return False


def _read_modern(version: str, fd: int, tree_fd: int, *, with_devicetrees: bool) -> KernelSet:
    hasher = sha256()
    folder = f"{MODULES}/{version}"
    kernel = KernelFile("vmlinuz", f"vmlinuz-{version}")
    _hash_file(f"{folder}/vmlinuz", tree_fd, hasher)
    initramfs = devicetree = dtb_dir = None
    source = next((name for name in _INITRAMFS if exists(name, dir_fd=fd)), None)
    if source is not None:
        initramfs = KernelFile(source, f"initramfs-{version}.img")
        _hash_file(f"{folder}/{source}", tree_fd, hasher)
    if with_devicetrees and exists("devicetree", dir_fd=fd):
        devicetree = KernelFile("devicetree", f"devicetree-{version}")
        _hash_file(f"{folder}/devicetree", tree_fd, hasher)
    elif with_devicetrees and _is_dir("dtb", fd):
        dtb_dir = "dtb"
        _hash_dir(f"{folder}/dtb", tree_fd, hasher)
    hmac = aboot = None
    if exists(".vmlinuz.hmac", dir_fd=fd):
        # As dracut looks for it.
        hmac = KernelFile(".vmlinuz.hmac", f".{kernel.name}.hmac")
    if exists("aboot.img", dir_fd=fd):
        aboot = KernelFile("aboot.img", f"aboot-{version}.img")
    return KernelSet(
        folder, hasher.hexdigest(), kernel, initramfs, devicetree, dtb_dir, hmac, aboot
    )


def _find_legacy(tree_fd: int, bootcsum: str | None) -> KernelSet | None:
    for folder in _LEGACY:
        fd = _open_if_there(tree_fd, folder)
        if fd == -1:
            continue
        try:
            found = _legacy_files(list_names(fd), bootcsum)
        finally:
            os.close(fd)
        # Like libostree, look no further than the first directory that is there.
        return None if "vmlinuz" not in found else _make_legacy(folder, found)
    return None


def _legacy_files(names: list[str], bootcsum: str | None) -> dict[str, tuple[KernelFile, str]]:
    """Return the file of each kind, and the checksum that its name ends with."""
    found: dict[str, tuple[KernelFile, str]] = {}
    wanted = [name for name in names if bootcsum is not None and name.endswith(f"-{bootcsum}")]
    for name in sorted(wanted or names, key=version_key, reverse=True):
        stem, _, checksum = name.rpartition("-")
        kind = stem.partition("-")[0]
        if kind in _LEGACY_KINDS and kind not in found and is_checksum(checksum):
            found[kind] = KernelFile(name, stem), checksum
    return found


def _make_legacy(folder: str, found: dict[str, tuple[KernelFile, str]]) -> KernelSet:
    for file, _checksum in found.values():
        _require_plain(folder, file.name)
    kernel, bootcsum = found["vmlinuz"]
    files: dict[str, KernelFile] = {}
    for kind, what in (("initramfs", "initrd"), ("devicetree", "device tree in tree")):
        if kind not in found:
            continue
        file, checksum = found[kind]
        if checksum != bootcsum:
            raise KernelNotFound(
                f"Mismatched kernel checksum vs {what}",
                hint=f"{folder}/{kernel.source} and {folder}/{file.source} do not belong together",
            )
        files[kind] = file
    return KernelSet(folder, bootcsum, kernel, files.get("initramfs"), files.get("devicetree"))


def _open_if_there(tree_fd: int, folder: str) -> int:
    try:
        return open_dir_below(tree_fd, folder, follow=True)
    except OSError as exc:
        if exc.errno in (ENOENT, ENOTDIR):
            return -1
        raise


def _is_dir(name: str, fd: int) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=fd).st_mode)
    except FileNotFoundError:
        return False


def _hash_file(path: str, tree_fd: int, hasher: _Hash) -> None:
    fd = open_file_in_root(tree_fd, path)
    try:
        for chunk in read_chunks(fd):
            hasher.update(chunk)
    finally:
        os.close(fd)


def _hash_dir(path: str, tree_fd: int, hasher: _Hash) -> None:
    """Hash the files of a directory in the order of the bytes of their names."""
    fd = open_dir_below(tree_fd, path, follow=True)
    try:
        for child in sorted(list_names(fd), key=os.fsencode):
            if stat.S_ISDIR(os.stat(child, dir_fd=fd, follow_symlinks=False).st_mode):
                _hash_dir(f"{path}/{child}", tree_fd, hasher)
            else:
                _hash_file(f"{path}/{child}", tree_fd, hasher)
    finally:
        os.close(fd)
