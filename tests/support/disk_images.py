# SPDX-License-Identifier: Apache-2.0
"""Disks with a GPT, a FAT file system and the root file system, made of directories; nobody need be root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from support.blklog import write_sparse
from support.commands import clean_environment
from support.recorded_disk import make_file_system

MIB = 1 << 20
FAT_AT, FAT_BYTES = MIB, 4 * MIB
ROOT_AT, ROOT_BYTES = 64 * MIB, 16 * MIB
_PROGRAMS = ("sgdisk", "mkfs.vfat", "mcopy", "mke2fs", "debugfs", "e2fsck")


def missing() -> str:
    """Empty if disks can be made here, else why not."""
    lacking = [name for name in _PROGRAMS if shutil.which(name, path=_path()) is None]
    return f"{lacking[0]} is not installed" if lacking else ""


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def run(*argv: str | Path) -> None:
    """Run one of the programs."""
    env = {**clean_environment(), "PATH": _path()}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, (argv, done.stderr)


def make_disk(
    root: Path, fat: Path, image: Path, *, fat_bytes: int = FAT_BYTES, root_bytes: int = ROOT_BYTES
) -> Path:
    """Make a disk of two partitions: what is in ``fat``, and what is in ``root``."""
    work = image.with_suffix(".part")
    make_file_system(root, work, root_bytes)
    with image.open("wb") as stream:
        stream.truncate(ROOT_AT + root_bytes + MIB)
    last = (ROOT_AT + root_bytes) // 512 - 1
    run(
        "sgdisk", "-n", f"1:{FAT_AT // 512}:{(FAT_AT + fat_bytes) // 512 - 1}", "-t", "1:ef00",
        "-n", f"2:{ROOT_AT // 512}:{last}", image,
    )  # fmt: skip
    write_sparse(work, image, at=ROOT_AT)
    work.unlink()
    sector, size = FAT_AT // 512, fat_bytes // 1024
    run("mkfs.vfat", "-F", "16", "-s", "1", "-n", "BOOT", "--offset", str(sector), image, str(size))
    for path in sorted(fat.iterdir()):
        run("mcopy", "-s", "-Q", "-i", f"{image}@@{FAT_AT}", path, "::")
    return image


def edit_root(image: Path, *commands: str) -> None:
    """Change the root file system as debugfs does, its tables with it."""
    script = image.with_suffix(".debugfs")
    script.write_text("".join(f"{command}\n" for command in commands))
    run("debugfs", "-w", "-f", script, f"{image}?offset={ROOT_AT}")
