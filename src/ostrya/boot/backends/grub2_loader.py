# SPDX-License-Identifier: Apache-2.0
"""GRUB 2: its ``grub.cfg``, beside the boot entries or on the EFI system partition.

::

    boot/grub2/grub.cfg -> ../loader/grub.cfg      comes into force with boot/loader
    boot/efi/EFI/NAME/grub.cfg                     replaced after that, the one before kept as .old

It is written by the first of these that there is:

1.  the program that OSTREE_GRUB2_EXEC names;
2.  grub-mkconfig, where its script ``15_ostree`` is: ours if this system runs, else the tree's;
3.  ourselves.

With automatic rollback it is always ourselves: `grub2_trial`.

Source: ostree-bootloader-grub2.c.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

from ostrya._linux.atomic import is_temporary_name, replace_file
from ostrya._linux.dirfd import exists, list_names, open_dir, read_file, unlink_if_exists
from ostrya._linux.process import run, run_interactive
from ostrya._linux.trace import trace
from ostrya.boot.backends.grub2 import CONFIG, make_grub_cfg
from ostrya.boot.backends.grub2_trial import make_trial_cfg
from ostrya.boot.sandbox import BWRAP, root_argv
from ostrya.boot.trace_points import Point
from ostrya.errors import BootloaderError, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bootloader import Boot, LoaderContext

GENERATOR = "OSTREE_GRUB2_EXEC"
_DEBUG = "OSTREE_DEBUG_GRUB2"
_PARTITION = "OSTREE_BOOT_PARTITION"
_MKCONFIGS = ("grub2-mkconfig", "grub-mkconfig")
_SCRIPT = "etc/grub.d/15_ostree"
_BIOS_CONFIGS = ("boot/grub/grub.cfg", "boot/grub2/grub.cfg")
_EFI = "boot/efi/EFI"
# The fallback of all systems on the disk.
_EFI_FALLBACK = "BOOT"
_BOOTUPD = "boot/bootupd-state.json"
_MAX_BYTES = 16 << 20


class Grub2:
    """GRUB 2 with a ``grub.cfg`` that is written anew.

    Attributes:
        is_atomic: As of the disk that was looked at last; not on EFI, nor without links.
    """

    name = "grub2"

    def __init__(self) -> None:
        self.is_atomic = True

    def is_active(self, context: LoaderContext) -> bool:
        """Say whether there is a ``grub.cfg`` that does not read boot entries by itself."""
        if _is_static(context):
            return False
        self.is_atomic = _replaced_config(context) is None
        return _has_bios_config(context) or not self.is_atomic

    def write_config(self, context: LoaderContext, bootversion: int, boots: Sequence[Boot]) -> None:
        """Write ``grub.cfg`` beside the entries; where one is replaced, ``grub.cfg.new`` there."""
        replaced = _replaced_config(context)
        self.is_atomic = replaced is None
        path = f"{replaced}.new" if replaced else f"{context.loader_dir(bootversion)}/{CONFIG}"
        # Some programs add to what is there.
        unlink_if_exists(path, dir_fd=context.sysroot_fd)
        if context.trial is not None:
            entries = [boot.entry for boot in boots]
            text = make_trial_cfg(entries, context.trial, prefix=_path_prefix(context))
            data = text.encode(errors="surrogateescape")
            replace_file(path, data, dir_fd=context.sysroot_fd)
            return
        argv = _generator(context, boots)
        if argv is None:
            text = make_grub_cfg(
                [boot.entry for boot in boots],
                prefix=_path_prefix(context),
                finds_disk=_efi_config(context) is not None,
            )
            data = text.encode(errors="surrogateescape")
            replace_file(path, data, dir_fd=context.sysroot_fd)
            return
        is_mkconfig = argv[-1].endswith(_MKCONFIGS)
        is_inside = argv[0] == BWRAP
        target = f"/{path}" if is_inside else os.path.join(context.path, path)
        variables = {**context.environ, "_OSTREE_GRUB2_BOOTVERSION": str(bootversion)}
        if _efi_config(context) is not None:
            variables["_OSTREE_GRUB2_IS_EFI"] = "1"
        _run([*argv, "-o", target], variables)
        _check_written(context, path, bootversion if is_mkconfig and boots else None)

    def after_swap(self, context: LoaderContext, bootversion: int) -> None:
        """Replace the configuration that does not go over with ``boot/loader``."""
        path = _replaced_config(context)
        if path is None:
            return
        _delete_unnamed(context, os.path.dirname(path))
        new = f"{path}.new"
        try:
            data = read_file(new, dir_fd=context.sysroot_fd, max_bytes=_MAX_BYTES)
        except FileNotFoundError:
            return
        if not context.is_flat and _mentions(data, 1 - bootversion):
            # It is of a change that did not come to be.
            return
        if exists(path, dir_fd=context.sysroot_fd):
            old = read_file(path, dir_fd=context.sysroot_fd, max_bytes=_MAX_BYTES)
            replace_file(f"{path}.old", old, dir_fd=context.sysroot_fd)
        trace(Point.LOADER_FILE_KEPT)
        os.rename(new, path, src_dir_fd=context.sysroot_fd, dst_dir_fd=context.sysroot_fd)
        trace(Point.LOADER_FILE_REPLACED)
        # VFAT writes size and place of a file with the file, not with its directory.
        for one in (path, os.path.dirname(path)):
            fd = os.open(one, os.O_RDONLY | os.O_CLOEXEC, dir_fd=context.sysroot_fd)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)


def _delete_unnamed(context: LoaderContext, folder: str) -> None:
    """Delete files that never got their names, since power failed: that disk is small."""
    try:
        fd = open_dir(folder, dir_fd=context.sysroot_fd, follow=True)
    except FileNotFoundError:
        return
    try:
        for name in list_names(fd):
            if is_temporary_name(name):
                unlink_if_exists(name, dir_fd=fd)
    finally:
        os.close(fd)


def _is_static(context: LoaderContext) -> bool:
    """Say whether bootupd keeps a configuration there that reads boot entries by itself."""
    try:
        data = read_file(_BOOTUPD, dir_fd=context.sysroot_fd, max_bytes=_MAX_BYTES)
        state = json.loads(data)
    except (FileNotFoundError, ValueError):
        return False
    return isinstance(state, dict) and state.get("static-configs") is not None


def _has_bios_config(context: LoaderContext) -> bool:
    return any(exists(path, dir_fd=context.sysroot_fd) for path in _BIOS_CONFIGS)


def _efi_config(context: LoaderContext) -> str | None:
    """Return the path of the configuration on the EFI system partition, if that is what counts."""
    if _has_bios_config(context):
        return None
    try:
        fd = open_dir(_EFI, dir_fd=context.sysroot_fd, follow=True)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        names = [name for name in sorted(list_names(fd)) if name != _EFI_FALLBACK]
        found = [name for name in names if exists(f"{name}/{CONFIG}", dir_fd=fd)]
    finally:
        os.close(fd)
    return f"{_EFI}/{found[0]}/{CONFIG}" if found else None


def _replaced_config(context: LoaderContext) -> str | None:
    """Return the path of a configuration that is replaced; None where it comes with the swap."""
    found = _efi_config(context)
    if found is None and context.is_flat and _has_bios_config(context):
        return f"{context.loader_dir(0)}/{CONFIG}"
    return found


def _generator(context: LoaderContext, boots: Sequence[Boot]) -> list[str] | None:
    """Return the command line, up to its options, that writes the file; None for ourselves."""
    wanted = context.environ.get(GENERATOR)
    is_mkconfig = not wanted or wanted.endswith(_MKCONFIGS)
    if wanted and (not is_mkconfig or _is_at_home(context)):
        return [wanted]
    if _is_at_home(context):
        found = _find_mkconfig("/")
        return None if found is None else [found]
    if not boots:
        return None
    # Which is how an installer asks what the new system will ask itself.
    tree = os.path.join(context.path, boots[0].root)
    found = wanted
    if not found and os.geteuid() == 0 and os.path.exists(BWRAP):
        found = _find_mkconfig(tree)
    return None if not found else root_argv(tree, context.path, [found])


def _is_at_home(context: LoaderContext) -> bool:
    return context.is_running or os.path.abspath(context.path) == "/"


def _find_mkconfig(root: str) -> str | None:
    """Return the path, within a system, of a grub-mkconfig that knows of deployments."""
    if not os.path.exists(os.path.join(root, _SCRIPT)):
        return None
    folders = ("/usr/sbin", "/usr/bin")
    places = os.pathsep.join(f"{root.rstrip('/')}{folder}" for folder in folders)
    found = (shutil.which(name, path=places) for name in _MKCONFIGS)
    path = next((path for path in found if path is not None), None)
    return None if path is None else path[len(root.rstrip("/")) :]


def _path_prefix(context: LoaderContext) -> str:
    named = context.environ.get(_PARTITION)
    if named is not None:
        return named
    boot = os.stat("boot", dir_fd=context.sysroot_fd)
    # Of a running system the root itself may be an overlay.
    has_own_boot = boot.st_dev != os.stat("ostree", dir_fd=context.sysroot_fd).st_dev
    # GRUB's paths begin at the file system that /boot is on.
    return "" if has_own_boot else context.prefix


def _run(argv: list[str], variables: dict[str, str]) -> None:
    if not variables.get(_DEBUG):
        run(argv, variables=variables)
        return
    status = run_interactive(argv, variables=variables)
    if status != 0:
        raise CommandFailed(tuple(argv), status)


def _check_written(context: LoaderContext, path: str, bootversion: int | None) -> None:
    """See that a file was written, that it is on the disk, and that deployments are in it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=context.sysroot_fd)
    except FileNotFoundError:
        raise BootloaderError(f"GRUB's generator wrote no {path}") from None
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)
    if bootversion is None:
        return
    data = read_file(path, dir_fd=context.sysroot_fd, max_bytes=_MAX_BYTES)
    if not _mentions(data, bootversion) and b"blscfg" not in data:
        raise BootloaderError(
            f"grub-mkconfig left deployments out of {path}",
            hint=f"its script /{_SCRIPT} writes them, if `ostree` is on its PATH",
        )


def _mentions(data: bytes, bootversion: int) -> bool:
    return f"ostree=/ostree/boot.{bootversion}/".encode() in data
