# SPDX-License-Identifier: Apache-2.0
"""What a build leaves, made of a release step by step, for tests of what becomes of it."""

from __future__ import annotations

from pathlib import Path

from ostrya.formats.checksum import Checksum
from ostrya.image.assemble import Content, assemble
from ostrya.image.board import load_board
from ostrya.image.deployments import Remote, SystemOptions, make_system
from ostrya.image.disk_layout import PartitionWish, named_uuid, plan_disk
from ostrya.image.fat import FatFile, FatOptions, encode_fat
from ostrya.image.filesystem import Ext4Options, write_ext4
from ostrya.image.gpt import TYPE_ESP, TYPE_LINUX
from ostrya.image.outputs.artifacts import Artifacts
from ostrya.repo.repository import Repository
from support.image_world import KVER

MIB = 1 << 20
SEED = "test"
REF = "os/stable"
TIMESTAMP = 1700000000
BOOT_FILES = (
    FatFile("boot.scr", b"script\n" * 300),
    FatFile("EFI/BOOT/BOOTX64.EFI", b"loader" * 5000),
    FatFile("EFI/BOOT/a long name.cfg", b"text\n"),
)


def make_artifacts(
    repo: Repository,
    commits: list[Checksum],
    folder: Path,
    *,
    root_mib: int = 24,
    remotes: tuple[Remote, ...] = (Remote("vendor", "https://example.com/repo"),),
    table: str = "gpt",
) -> Artifacts:
    """Deploy releases, and make a disk of a FAT and an ext4 of them."""
    for name in ("sysroot", "ext4", "scratch"):
        (folder / name).mkdir(parents=True)
    kargs = ("root=LABEL=otaroot", "quiet")
    settings = (("sysroot", "bootloader", "uboot"),)
    system = SystemOptions("os", REF, kargs, settings, (), remotes, TIMESTAMP)
    inodes = make_system(repo, commits, str(folder / "sysroot"), system)
    wishes = [
        PartitionWish("boot", TYPE_ESP, 4 * MIB),
        PartitionWish("root", TYPE_LINUX, root_mib * MIB),
    ]
    plan = plan_disk(wishes, seed=SEED)._replace(table=table)
    root = str(folder / "root.ext4")
    ext4 = Ext4Options(plan.size(1), "otaroot", named_uuid(SEED, "root"), TIMESTAMP)
    write_ext4(str(folder / "sysroot"), root, ext4, inodes)
    fat = FatOptions(plan.size(0), "boot", 0x1234ABCD, TIMESTAMP, plan.partitions[0].first)
    contents = [Content(tuple(encode_fat(BOOT_FILES, fat))), Content(file=root)]
    disk = str(folder / "disk")
    assemble(disk, plan, contents)
    return Artifacts(
        disk=disk,
        plan=plan,
        roles=("boot", "root"),
        root_image=root,
        sysroot=str(folder / "sysroot"),
        inodes=inodes,
        boot_files=BOOT_FILES,
        repo=repo,
        commit=commits[-1],
        ref=REF,
        board=load_board("qemu-x86_64"),
        kver=KVER,
        stateroot="os",
        timestamp=TIMESTAMP,
        seed=SEED,
        decisions=("moved /etc to /usr/etc",),
        scratch=str(folder / "scratch"),
    )
