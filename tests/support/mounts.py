# SPDX-License-Identifier: Apache-2.0
"""Small file systems of several kinds, mounted where only this process and its children see them."""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

CLONE_NEWNS = 0x00020000
MAKERS = {
    "ext4": ["mkfs.ext4", "-q", "-F"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
    "vfat": ["mkfs.vfat"],
}
KINDS = ("ext4", "xfs", "btrfs", "tmpfs", "overlayfs")
# Without links, owners and modes, like the kernel's VFAT, and to be had where the kernel has none.
FUSE_FAT = "fusefat"
DEFAULT_SIZE = 400 * 1024 * 1024


def missing(kind: str) -> str:
    """Empty if this kind can be mounted here, else the reason why not."""
    if os.geteuid() != 0:
        return "mounting needs root"
    maker = MAKERS.get(kind, [None])[0]
    if maker and shutil.which(maker) is None:
        return f"{maker} is not installed"
    if kind in MAKERS and not Path("/dev/loop-control").exists():
        return "no loop devices here"
    if kind == FUSE_FAT:
        return "" if shutil.which(FUSE_FAT) else f"{FUSE_FAT} is not installed"
    name = "overlay" if kind == "overlayfs" else kind
    known = Path("/proc/filesystems").read_text().split()
    if name not in known:
        loaded = (
            subprocess.run(["modprobe", name], capture_output=True, check=False)
            if shutil.which("modprobe")
            else None
        )
        if loaded is None or loaded.returncode != 0:
            return f"this kernel has no {name}"
    return ""


@functools.cache
def enter_private_namespace() -> None:
    """Take a mount namespace of our own, once per process; the kernel unmounts all at our end."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "unshare")
    run("mount", "--make-rprivate", "/")


def run(*argv: str) -> None:
    """Run a mounting program and show its words if it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip()}")


def mount(
    kind: str,
    folder: Path,
    *,
    size: int = DEFAULT_SIZE,
    fill: Callable[[Path], None] = lambda _target: None,
) -> Path:
    """Make a file system of this kind under ``folder``; return the directory to use.

    ``fill`` puts what there is from the start into the directory it is given; on overlayfs that is
    the lower layer, so whatever changes it has to copy it up.
    """
    enter_private_namespace()
    target = folder / f"on-{kind}"
    target.mkdir(parents=True)
    if kind in MAKERS:
        image = folder / f"{kind}.img"
        with image.open("wb") as stream:
            stream.truncate(size)
        run(*MAKERS[kind], str(image))
        run("mount", "-o", "loop", str(image), str(target))
    elif kind == "overlayfs":
        below = folder / "layers"
        below.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(below))
        for layer in ("lower", "upper", "work"):
            (below / layer).mkdir()
        fill(below / "lower")
        layers = f"lowerdir={below}/lower,upperdir={below}/upper,workdir={below}/work"
        run("mount", "-t", "overlay", "-o", layers, "none", str(target))
    elif kind == FUSE_FAT:
        image = folder / f"{kind}.img"
        with image.open("wb") as stream:
            stream.truncate(size)
        run(*MAKERS["vfat"], str(image))
        run(FUSE_FAT, "-o", "rw+", str(image), str(target))
    elif kind == "ramfs":
        run("mount", "-t", "ramfs", "none", str(target))
    else:
        run("mount", "-t", kind, "-o", f"size={size}", "none", str(target))
    if kind != "overlayfs":
        fill(target)
    return target


def unmount(folder: Path) -> None:
    """Unmount everything below a directory."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    for line in reversed(lines):
        target = line.split()[1]
        if target.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", target], check=False, capture_output=True)
