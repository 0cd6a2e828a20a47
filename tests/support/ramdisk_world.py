# SPDX-License-Identifier: Apache-2.0
"""A disk with one deployment, and a mount namespace in which its root is put together."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from ostrya.boot.initramfs import build

SCRIPTS = Path(build.__file__).parent / "data"
PREPARE_ROOT = SCRIPTS / "prepare-root.sh"
CSUM = "5c" * 32
TREE = f"ostree/deploy/os/deploy/{CSUM}.0"
LINK = f"/ostree/boot.1/os/{'b0' * 32}/0"


def missing() -> str:
    """Empty if this can be done here, else why not."""
    for program in ("busybox", "unshare"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return ""


class Outcome(NamedTuple):
    """What a script came to."""

    status: int
    out: str
    err: str

    def lines(self) -> list[str]:
        return self.out.splitlines()


def make_disk(top: Path) -> Path:
    """Make the files of a physical root with one deployment."""
    tree = top / TREE
    for name in ("usr/etc", "etc", "var", "sysroot", "boot", "run", "dev", "proc", "sys", "tmp"):
        (tree / name).mkdir(parents=True)
    (tree / "usr/in_usr").touch()
    (tree / "usr/etc/in_usr_etc").touch()
    (tree / "etc/in_etc").touch()
    (tree / "in_root").touch()
    var = top / "ostree/deploy/os/var"
    var.mkdir()
    (var / "in_var").touch()
    (top / f"ostree/deploy/os/backing/{CSUM}.0").mkdir(parents=True)
    (top / "ostree/repo/objects").mkdir(parents=True)
    (top / "ostree/repo/config").write_text("[core]\nrepo_version=1\nmode=bare\n")
    link = top / LINK.lstrip("/")
    link.parent.mkdir(parents=True)
    link.symlink_to(f"../../../../{TREE}")
    (top / "boot/loader.1").mkdir(parents=True)
    (top / "boot/loader").symlink_to("loader.1")
    (top / "boot/in_boot").touch()
    (top / "on_disk").touch()
    return tree


class World:
    """A directory that stands for the ramdisk, with the disk mounted at its ``/sysroot``."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.disk = top / "disk"
        self.tree = make_disk(self.disk)
        self.root = top / "ramdisk"
        for name in ("sysroot", "proc", "run", "dev", "bin", "usr/lib/ostree", "etc/ostree"):
            (self.root / name).mkdir(parents=True)
        shutil.copy(shutil.which("busybox") or "", self.root / "bin/busybox")
        shutil.copy(PREPARE_ROOT, self.root / "prepare-root.sh")
        self.cmdline = f"quiet ostree={LINK} rw"

    def conf(self, text: str) -> None:
        (self.root / "usr/lib/ostree/prepare-root.conf").write_text(text)

    def run(self, check: str = "", *, no_ramdisk: bool = False) -> Outcome:
        """Prepare the root in a namespace, then run a piece of shell there."""
        if no_ramdisk:
            return self._run_here(check)
        (self.root / "cmdline").write_text(self.cmdline + "\n")
        inside = "\n".join(
            (
                "busybox mount -t proc proc /proc && busybox mount --bind /cmdline /proc/cmdline",
                "busybox mount -t tmpfs run /run",
                "busybox sh /prepare-root.sh /sysroot || exit 9",
                check,
            )
        )
        outside = (
            "mount --make-rprivate /\n"
            f"mount --rbind {self.root} {self.root}\n"
            f"mount --bind {self.disk} {self.root}/sysroot\n"
            f"cd {self.root} && mkdir -p old && pivot_root . old && cd / && umount -l /old\n"
            f"exec busybox sh -c '{inside}'\n"
        )
        return self._unshare(outside)

    def _run_here(self, check: str) -> Outcome:
        """The disk is the root, as the kernel leaves it that has no ramdisk."""
        disk = self.disk
        for name in ("proc", "bin", "sysroot", "run"):
            (disk / name).mkdir(exist_ok=True)
        shutil.copy(self.root / "bin/busybox", disk / "bin/busybox")
        shutil.copy(PREPARE_ROOT, disk / "prepare-root.sh")
        shutil.copytree(disk / "bin", self.tree / "bin", dirs_exist_ok=True)
        (disk / "cmdline").write_text(self.cmdline + "\n")
        inside = "\n".join(
            (
                "busybox mount -t proc proc /proc && busybox mount --bind /cmdline /proc/cmdline",
                "busybox sh /prepare-root.sh / || exit 9",
                check,
            )
        )
        outside = (
            "mount --make-rprivate /\n"
            f"mount --rbind {disk} {disk}\n"
            f"cd {disk} && mkdir -p old && pivot_root . old && cd / && umount -l /old\n"
            f"exec busybox sh -c '{inside}'\n"
        )
        return self._unshare(outside)

    def _unshare(self, script: str) -> Outcome:
        done = subprocess.run(
            ["unshare", "--mount", "busybox", "sh", "-ec", script],
            capture_output=True, text=True, check=False, timeout=60,
            env={"PATH": "/bin:/sbin:/usr/bin:/usr/sbin"},
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)
