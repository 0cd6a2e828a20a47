# SPDX-License-Identifier: Apache-2.0
"""Build a ramdisk from a root file system.

::

    init -> usr/sbin/init           our script, the same program by both names
    usr/lib/ostrya/prepare-root.sh  the part that a ramdisk of somebody else has as well
    usr/bin/busybox                 and links to it
    usr/lib/modules/6.1.0/          modules for disks and file systems, and their indexes
    usr/sbin/e2fsck                 the tree's, with its libraries
    etc/ostree/prepare-root.conf    the tree's
    etc/ostrya/modules              what is loaded in any case
    etc/ostrya/buses                where there may be devices for the others

Nobody need be root: everything in it belongs to root whoever owns the tree. Files have the
permissions that they must have, not those they happen to have.
"""

from __future__ import annotations

import os
from hashlib import sha256
from importlib.resources import files as package_files
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import OPEN_DIR
from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs import cpio
from ostrya.boot.initramfs.busybox import PLACE, find_busybox
from ostrya.boot.initramfs.compress import (
    Compression,
    check_kernel_takes,
    compress,
    decompress_module,
)
from ostrya.boot.initramfs.modules import (
    aliases_of,
    buses_of,
    close_modules,
    format_dep,
    has_module,
    module_name,
    parse_index,
    plain_path,
)
from ostrya.boot.initramfs.programs import MERGED, close_program, merged_path
from ostrya.boot.initramfs.tree_files import TreeFiles
from ostrya.boot.kernel import MODULES, kernel_version_key
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.boot.initramfs.cpio import CpioEntry
    from ostrya.boot.initramfs.modules import ModuleIndex

DATA = "ostrya.boot.initramfs"
# Taken along where the kernel has them as modules; loaded when there is a device for them, or a
# file system to mount.
DEFAULT_MODULES = (
    "virtio_pci", "virtio_mmio", "virtio_blk", "virtio_scsi",
    "sd_mod", "ahci", "ata_piix", "nvme",
    "mmc_block", "sdhci_pci", "sdhci_acpi", "sdhci_iproc", "bcm2835",
    "xhci_pci", "ehci_pci", "usb_storage", "uas",
    "ext4", "btrfs", "vfat", "nls_cp437", "nls_ascii", "nls_iso8859_1",
    "overlay", "erofs", "loop",
)  # fmt: skip
_CONF = "ostree/prepare-root.conf"
_CONFS = ((f"usr/lib/{_CONF}",), (f"etc/{_CONF}", f"usr/etc/{_CONF}"))
# The one without libraries first: it is half as large, all counted, and starts faster.
_E2FSCK = ("usr/sbin/e2fsck.static", "sbin/e2fsck.static", "usr/sbin/e2fsck", "sbin/e2fsck")
_EMPTY = ("dev", "proc", "run", "sys", "sysroot", "sysroot.tmp", "tmp")
_FSTAB = (
    "proc /proc proc nosuid,nodev,noexec 0 0\n"
    "sysfs /sys sysfs nosuid,nodev,noexec 0 0\n"
    "devtmpfs /dev devtmpfs mode=755,nosuid 0 0\n"
    "tmpfs /run tmpfs mode=755,nosuid,nodev 0 0\n"
)
# A board without a clock that runs on starts in 1970; that is no reason to check everything.
_E2FSCK_CONF = "[options]\nbroken_system_clock = true\n"


class InitramfsOptions(NamedTuple):
    """What a ramdisk is to be like.

    Attributes:
        kver: The version of its kernel; if not said, the newest of the tree.
        modules: Kernel modules to load in any case, in their order, beside `DEFAULT_MODULES`.
        compression: How it is compressed.
        busybox: Path of the one to take, on this machine.
    """

    kver: str | None = None
    modules: tuple[str, ...] = ()
    compression: Compression = Compression.GZIP
    busybox: str | None = None


class Initramfs(NamedTuple):
    """A ramdisk.

    Attributes:
        data: The whole of it.
        digest: Its SHA-256.
        kver: The kernel that its modules are for; None if it has none.
        busybox: Where its busybox is from.
        checks: File systems that it can check.
        files: What is in it, and how large that is.
    """

    data: bytes
    digest: str
    kver: str | None
    busybox: str
    checks: tuple[str, ...]
    files: tuple[tuple[str, int], ...]


def build_initramfs(
    tree: int | str | TreeFiles, options: InitramfsOptions | None = None
) -> Initramfs:
    """Build a ramdisk.

    Args:
        tree: The root directory of a system: its path, or a descriptor, which stays the caller's;
            or its files, wherever they are.
        options: What it is to be like.

    Raises:
        InitramfsError: The tree lacks something that is needed, or the kernel does not take it.
        OSError: Something cannot be read.
    """
    options = options or InitramfsOptions()
    if isinstance(tree, TreeFiles):
        return _build(tree, options)
    if isinstance(tree, int):
        return _build(TreeFiles(tree), options)
    fd = os.open(tree, OPEN_DIR)
    try:
        return _build(TreeFiles(fd), options)
    finally:
        os.close(fd)


def find_module_version(tree: TreeFiles, wanted: str | None = None) -> str | None:
    """Return the version of a tree's kernel by its modules; None if the kernel has none.

    Raises:
        InitramfsError: There are none of the version that is wanted.
    """
    known = [
        name for name in tree.names(MODULES) if tree.find_file(f"{MODULES}/{name}/modules.dep")
    ]
    if wanted is not None and wanted not in known:
        raise InitramfsError(
            f"the tree has no /{MODULES}/{wanted}/modules.dep",
            hint=f"there is: {', '.join(known)}" if known else "depmod writes it",
        )
    return wanted or max(known, key=kernel_version_key, default=None)


def _build(tree: TreeFiles, options: InitramfsOptions) -> Initramfs:
    kver = find_module_version(tree, options.kver)
    if kver is None and options.modules:
        raise InitramfsError(f"kernel module '{options.modules[0]}' is not there")
    check_kernel_takes(options.compression, "" if kver is None else _kernel_config(tree, kver))
    busybox = find_busybox(tree, options.busybox)
    entries = [*_fixed_entries(), *_configuration(tree)]
    for path, data in busybox.files.items():
        entries.append(cpio.file(path, data, 0o755))
    for name in busybox.applets:
        folder = "usr/sbin" if name == "modprobe" else "usr/bin"
        entries.append(cpio.link(f"{folder}/{name}", f"/{PLACE}"))
    checks, check_files = _check_tools(tree)
    entries += check_files
    if kver is not None:
        entries += module_entries(tree, kver, options.modules)
    # A library that two programs need is there once.
    arranged = cpio.arrange(dict.fromkeys(entries))
    data = b"".join(compress(cpio.encode_cpio(arranged), options.compression))
    files = tuple((entry.path, len(entry.data)) for entry in arranged)
    return Initramfs(data, sha256(data).hexdigest(), kver, busybox.origin, checks, files)


def _fixed_entries() -> Iterator[CpioEntry]:
    for name in _EMPTY:
        yield cpio.directory(name)
    for name in MERGED:
        yield cpio.directory(f"usr/{name}")
        yield cpio.link(name, f"usr/{name}")
    # Where the kernel has none of its own.
    yield cpio.character_device("dev/console", 5, 1)
    yield cpio.link("init", "usr/sbin/init")
    yield cpio.file("usr/sbin/init", without_comments(read_script("init.sh")), 0o755)
    script = without_comments(read_script("prepare-root.sh"))
    yield cpio.file("usr/lib/ostrya/prepare-root.sh", script)
    yield cpio.file("etc/fstab", _FSTAB.encode())


def read_script(name: str) -> bytes:
    """Return one of the shell scripts in ``data/``."""
    return package_files(DATA).joinpath("data", name).read_bytes()


def without_comments(script: bytes) -> bytes:
    """Return a script of ours without comments: every line is read again at every start."""
    first, *lines = script.splitlines(keepends=True)
    return first + b"".join(line for line in lines if line.strip() and line.lstrip()[:1] != b"#")


def _configuration(tree: TreeFiles) -> Iterator[CpioEntry]:
    for places in _CONFS:
        found = next((place for place in places if tree.find_file(place)), None)
        if found is not None:
            yield cpio.file(places[0], tree.read(found))


def _check_tools(tree: TreeFiles) -> tuple[tuple[str, ...], list[CpioEntry]]:
    path = next((path for path in _E2FSCK if tree.find_file(path)), None)
    if path is None:
        return (), []
    files = close_program(tree, path)
    place = "usr/sbin/e2fsck"
    files[place] = files.pop(merged_path(path))
    entries = [cpio.file(name, data, 0o755) for name, data in files.items()]
    kinds = ("ext2", "ext3", "ext4")
    entries += [cpio.link(f"usr/sbin/fsck.{kind}", "e2fsck") for kind in kinds]
    entries.append(cpio.file("etc/e2fsck.conf", _E2FSCK_CONF.encode()))
    return kinds, entries


def module_entries(tree: TreeFiles, kver: str, named: tuple[str, ...]) -> Iterator[CpioEntry]:
    """Yield the kernel's modules, their indexes, and the list of those to load in any case.

    Raises:
        InitramfsError: One that is named is not there, or one cannot be read.
    """
    folder = f"{MODULES}/{kver}"
    index = _read_index(tree, folder)
    wanted = [name for name in DEFAULT_MODULES if has_module(index, name)]
    order = close_modules(index, [*named, *wanted])
    for name in order:
        path = index.paths[name]
        data = decompress_module(tree.read(f"{folder}/{path}"), path)
        yield cpio.file(f"{folder}/{plain_path(path)}", data)
    aliases = [f"alias {pattern} {name}\n" for pattern, name in aliases_of(index, order)]
    yield cpio.file(f"{folder}/modules.dep", format_dep(index, order).encode())
    yield cpio.file(f"{folder}/modules.alias", "".join(aliases).encode())
    buses = " ".join(buses_of(index, order))
    yield cpio.file("etc/ostrya/buses", f"{buses}\n".encode())
    # Those that are built in are there already.
    load = [name for name in close_modules(index, named) if name in map(module_name, named)]
    yield cpio.file("etc/ostrya/modules", "".join(f"{name}\n" for name in load).encode())


def _read_index(tree: TreeFiles, folder: str) -> ModuleIndex:
    return parse_index(
        tree.read_text(f"{folder}/modules.dep"),
        builtin=tree.read_text(f"{folder}/modules.builtin"),
        softdep=tree.read_text(f"{folder}/modules.softdep"),
        alias=tree.read_text(f"{folder}/modules.alias"),
    )


def _kernel_config(tree: TreeFiles, kver: str) -> str:
    for path in (
        f"{MODULES}/{kver}/config",
        f"boot/config-{kver}",
        f"usr/lib/ostree-boot/config-{kver}",
    ):
        if text := tree.read_text(path):
            return text
    return ""
