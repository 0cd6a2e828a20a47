# SPDX-License-Identifier: Apache-2.0
"""busybox: the tree's own, one that is named, or this machine's; with all that the scripts call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import FileTooLargeError, read_file
from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.elf import decode_elf, is_elf
from ostrya.boot.initramfs.programs import close_program, kind_of_tree
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.boot.initramfs.tree_files import TreeFiles

PLACE = "usr/bin/busybox"
# What our scripts run; but for what the shell has in itself, like echo and test.
NEEDED = (
    "cat", "chmod", "chroot", "cp", "cttyhack", "dd", "findfs", "hexdump", "ln", "mkdir",
    "modprobe", "mount", "pivot_root", "reboot", "rm", "setsid", "sh", "sleep", "stat",
    "switch_root", "sync", "tr", "umount", "usleep",
)  # fmt: skip
# For whoever asks for a shell.
_WELCOME = ("dmesg", "insmod", "ls", "lsmod", "ps", "readlink", "vi")
_IN_TREES = ("usr/bin/busybox", "bin/busybox", "usr/lib/initramfs-tools/bin/busybox")
_ON_HOSTS = ("/usr/bin/busybox", "/bin/busybox")
_MAX_BYTES = 64 << 20


class Busybox(NamedTuple):
    """A busybox for a ramdisk.

    Attributes:
        origin: Where it is from, for people.
        files: It and the libraries that it needs, by their paths in the ramdisk.
        applets: Names that it is to have.
    """

    origin: str
    files: Mapping[str, bytes]
    applets: tuple[str, ...]


def find_busybox(tree: TreeFiles, named: str | None = None) -> Busybox:
    """Find one.

    Raises:
        InitramfsError: There is none that can do what the scripts need, for this machine.
        OSError: Something cannot be read.
    """
    reasons: list[str] = []
    if named is not None:
        return _accept(named, {PLACE: _read_host(named)}, tree)
    for path in _IN_TREES:
        real = tree.find_file(path)
        if real is None:
            continue
        try:
            files = close_program(tree, real)
            return _accept(f"the tree's /{real}", {PLACE: files.pop(real)} | files, tree)
        except InitramfsError as exc:
            reasons.append(exc.message)
    for path in _ON_HOSTS:
        if os.path.isfile(path):
            try:
                return _accept(f"this machine's {path}", {PLACE: _read_host(path)}, tree)
            except InitramfsError as exc:
                reasons.append(exc.message)
    raise InitramfsError(
        "; ".join(dict.fromkeys(reasons)) or "there is no busybox in the tree, nor on this machine",
        hint="install busybox-static, in the tree for instance",
    )


def missing_applets(data: bytes) -> list[str]:
    """Name what a busybox cannot do; its list of names is in it, separated by NULs."""
    return [name for name in NEEDED if not _has(data, name)]


def _has(data: bytes, name: str) -> bool:
    return f"\0{name}\0".encode() in data


def _read_host(path: str) -> bytes:
    try:
        return read_file(os.path.realpath(path), max_bytes=_MAX_BYTES)
    except FileTooLargeError as exc:
        raise InitramfsError(f"{path} is no busybox") from exc


def _accept(origin: str, files: Mapping[str, bytes], tree: TreeFiles) -> Busybox:
    data = files[PLACE]
    if not is_elf(data):
        raise InitramfsError(f"{origin} is no program")
    program = decode_elf(data)
    if len(files) == 1 and (program.interpreter or program.needed):
        raise InitramfsError(f"{origin} is not linked statically")
    kind = kind_of_tree(tree)
    if kind not in (None, program.kind):
        raise InitramfsError(f"{origin} is for another machine than the tree")
    if missing := missing_applets(data):
        raise InitramfsError(f"{origin} has no {', '.join(missing)}")
    return Busybox(origin, files, (*NEEDED, *(name for name in _WELCOME if _has(data, name))))
