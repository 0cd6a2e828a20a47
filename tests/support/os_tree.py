# SPDX-License-Identifier: Apache-2.0
"""A small tree that can be deployed: a kernel, its ramdisk, defaults for ``/etc``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

KERNEL = "6.1.0-test"


def make(tree: Path, version: str = "1", without: tuple[str, ...] = ()) -> Path:
    """Make the tree of a release, without some of what is in ``/etc``."""
    modules = tree / "usr/lib/modules" / KERNEL
    modules.mkdir(parents=True)
    (modules / "vmlinuz").write_text(f"kernel {version}\n")
    (modules / "initramfs.img").write_text(f"ramdisk {version}\n")
    etc = tree / "usr/etc"
    for name in ("dir", "dropped"):
        (etc / name).mkdir(parents=True)
    (etc / "os-release").write_text(f'NAME=Test\nID=test\nPRETTY_NAME="Test OS {version}"\n')
    (etc / "default").write_text(f"default {version}\n")
    (etc / "same").write_text("same\n")
    for name in ("dir/file", "dropped/x", "dropped/y", "gone", "owner"):
        (etc / name).write_text(f"{name} {version}\n")
    (etc / "link").symlink_to("same")
    for name in without:
        subprocess.run(["rm", "-r", etc / name], check=True)
    if version == "3":
        (tree / "usr/lib/ostree-boot").mkdir()
        (tree / "usr/lib/ostree-boot/uEnv.txt").write_text("loaduimage=run x\n\nexample=1\n")
        (modules / "dtb/vendor").mkdir(parents=True)
        (modules / "dtb/vendor/board.dtb").write_text("tree of devices\n")
    (tree / "usr/bin").mkdir()
    (tree / "usr/bin/tool").write_text(f"#!/bin/sh\necho {version}\n")
    (tree / "usr/bin/tool").chmod(0o755)
    for name in ("boot", "dev", "home", "proc", "run", "sys", "sysroot", "tmp", "var"):
        (tree / name).mkdir()
    (tree / "ostree").symlink_to("sysroot/ostree")
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (0, 0), follow_symlinks=False)
    return tree
