# SPDX-License-Identifier: Apache-2.0
"""One recipe, one digest: whoever builds, where, when, with which umask, time zone and language."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.image_world import missing, recipe_rootfs, write_tar

REASON = missing("mke2fs", "grub-mkimage", "setpriv")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
RECIPE = """
name = "box"
version = "1"
board = "qemu-x86_64"
outputs = ["raw", "wic.bmap", "wic.gz", "ota.tar.gz", "ostree.tar", "spdx", "manifest", "sha256sums"]
[source]
path = "rootfs.tar"
[system]
hostname = "box"
[[users]]
name = "me"
groups = ["sudo"]
ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJabcdefghij me"]
[[overlays]]
path = "overlay"
[[partitions]]
name = "data"
size = "16M"
mountpoint = "/data"
contents = "overlay"
[[partitions]]
name = "files"
size = "40M"
filesystem = "vfat"
contents = "overlay"
"""
# The clock of this process is where it is told to be.
AT_ANOTHER_TIME = """
import os, sys, time
os.umask(int(sys.argv.pop(1), 8))
ahead = int(sys.argv.pop(1))
real, real_ns = time.time, time.time_ns
time.time = lambda: real() + ahead
time.time_ns = lambda: real_ns() + ahead * 10**9
from ostrya.cli.start import main
sys.argv[0] = "ostrya"
sys.exit(main())
"""


def lay_out(folder: Path, umask: int, age: int) -> None:
    """The same files, written in another way."""
    before = os.umask(umask)
    try:
        for name in ("etc/b", "etc/a", "usr/bin/run") if age else ("usr/bin/run", "etc/a", "etc/b"):
            path = folder / "overlay" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{name}\n")
            if "bin" in name:
                path.chmod(0o777 & ~umask)
            os.utime(path, (age, age))
        (folder / "box.toml").write_text(RECIPE)
    finally:
        os.umask(before)


def build(folder: Path, *, user: int, umask: int, ahead: int, more: dict[str, str]) -> str:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)
    argv = [
        "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
        sys.executable, "-c", AT_ANOTHER_TIME, f"{umask:o}", str(ahead),
        "image", "build", "box.toml", "--output-dir=out", "--no-cache",
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **more}
    done = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return (folder / "out/SHA256SUMS").read_text()


@pytest.mark.root
def test_the_same_recipe_gives_the_same_bytes(tmp_path):
    top = Path("/var/tmp") / f"ostrya-same-{os.getpid()}"
    here, there = top / "here", top / "a place/elsewhere"
    try:
        for folder in (here, there):
            folder.mkdir(parents=True)
        os.utime(write_tar(here / "rootfs.tar", recipe_rootfs()), (1700000000, 1700000000))
        shutil.copy2(here / "rootfs.tar", there / "rootfs.tar")
        lay_out(here, 0o022, 0)
        lay_out(there, 0o077, 1234567890)
        first = build(here, user=0, umask=0o022, ahead=0, more={"LC_ALL": "C", "HOME": "/root"})
        second = build(
            there,
            user=65534,
            umask=0o077,
            ahead=400 * 24 * 3600,
            more={"LC_ALL": "C.UTF-8", "TZ": "Asia/Kolkata", "HOME": "/nonexistent"},
        )
        assert len(first.splitlines()) == 7
        assert first == second
    finally:
        shutil.rmtree(top)
