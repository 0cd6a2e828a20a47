# SPDX-License-Identifier: Apache-2.0
"""A disk of a FAT and of an ext4 that is made of a directory, for tests of who reads disks."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ostrya.image.assemble import Content, assemble
from ostrya.image.disk_layout import PartitionWish, plan_disk
from ostrya.image.fat import FatFile, FatOptions, encode_fat
from ostrya.image.filesystem import find_program
from ostrya.image.gpt import TYPE_ESP, TYPE_LINUX

MIB = 1 << 20
BOOT_FILES = (FatFile("boot.scr", b"script\n" * 100), FatFile("dir/A long name.txt", b"text\n"))


def make_disk(tree: Path, path: Path, *, root_mib: int = 16, options: tuple[str, ...] = ()) -> Path:
    """Make it."""
    wishes = [
        PartitionWish("boot", TYPE_ESP, 4 * MIB),
        PartitionWish("root", TYPE_LINUX, root_mib * MIB),
    ]
    plan = plan_disk(wishes, seed="plain")
    fat = FatOptions(plan.size(0), "boot", 0x1234ABCD, 1700000000, plan.partitions[0].first)
    root = path.with_suffix(".root")
    argv = [
        find_program("mke2fs"), "-q", "-F", "-t", "ext4", "-L", "otaroot", *options, "-d", tree, root,
        f"{root_mib}M",
    ]  # fmt: skip
    subprocess.run(argv, check=True, capture_output=True)
    assemble(
        str(path), plan, [Content(tuple(encode_fat(BOOT_FILES, fat))), Content(file=str(root))]
    )
    root.unlink()
    return path
