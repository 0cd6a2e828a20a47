# SPDX-License-Identifier: Apache-2.0
"""A Debian of a recipe grows into its disk and is told who it is, once, at its first start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import device_tree
from ostrya._linux.reflink import copy_range
from ostrya.image.board import load_board
from ostrya.image.filesystem import find_program
from support import qemu
from support.image_world import debugfs
from support.image_world import missing as missing_program

TOP = Path(__file__).resolve().parents[2]
BOARD = "qemu-x86_64"
GIB = 1 << 30
SHOWN_S = 900
pytestmark = [pytest.mark.vm, pytest.mark.vm_full, pytest.mark.timeout(2400)]
RECIPE = f"""
name = "dev"
board = "{BOARD}"
[source]
path = "base.tar"
[[overlays]]
path = "overlay"
[[files]]
path = "/usr/bin/ostrya"
mode = "0755"
text = '''#!/usr/bin/python3
from ostrya.cli.start import run
run()
'''
[[partitions]]
name = "data"
size = "64M"
mountpoint = "/data"
[disk]
grow = "yes"
[provisioning]
enable = true
defaults = "told.toml"
"""
TOLD = """
[system]
hostname = "unit-7"
[[remotes]]
name = "vendor"
url = "https://updates.example.com/repo"
verify = "none"
"""


def build(folder: Path) -> Path:
    packages = folder / "overlay/usr/lib/python3/dist-packages"
    packages.mkdir(parents=True)
    shutil.copytree(
        TOP / "src/ostrya", packages / "ostrya", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "base.tar").symlink_to(device_tree.build_base())
    (folder / "told.toml").write_text(TOLD)
    (folder / "dev.toml").write_text(RECIPE)
    argv = [sys.executable, "-m", "ostrya", "image", "build", "dev.toml", "--no-cache"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return folder / f"dev-{BOARD}.img"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The disk, which nobody may write to."""
    if reason := (
        qemu.missing("qemu-system-x86_64") or device_tree.missing() or missing_program("sgdisk")
    ):
        pytest.skip(reason)
    return build(tmp_path_factory.mktemp("image"))


@pytest.fixture
def disk(image, tmp_path):
    """A disk that is larger than what is on it."""
    found = tmp_path / "disk.img"
    subprocess.run(["cp", "--sparse=always", image, found], check=True)
    os.truncate(found, 3 * GIB)
    return found


def start_until(
    disk: Path, log: Path, wanted: tuple[bytes, ...], more: tuple[str, ...] = ()
) -> str:
    """Start it, until all of that was on its console."""
    board = load_board(BOARD)
    found = board.qemu_bios
    assert found is not None
    argv = ["1024" if word == "256" else word for word in found.argv(str(disk))] + [*more]
    with log.open("wb") as stream:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=stream)
        try:
            end = time.monotonic() + SHOWN_S
            while not all(word in log.read_bytes() for word in wanted):
                assert process.poll() is None
                assert time.monotonic() < end, log.read_text(errors="replace")[-3000:]
                time.sleep(2)
            # What it has written is on its disk after that, by the kernel's own clock.
            time.sleep(15)
        finally:
            process.kill()
            process.communicate()
    return log.read_text(errors="replace")


def test_qemu_tells_it_who_it_is(disk, tmp_path):
    """What QEMU says counts, and not what is on the FAT partition."""
    told = tmp_path / "told.toml"
    told.write_text(TOLD.replace("unit-7", "unit-8"))
    more = ("-fw_cfg", f"name=opt/org.ostrya.provision,file={told}")
    start_until(disk, tmp_path / "log", (b"unit-8 login:",), more)


def test_it_grows_and_is_told_who_it_is(disk, tmp_path):
    start_until(disk, tmp_path / "log", (b"unit-7 login:", b"Finished \x1b[0;1;39mostrya-grow"))
    table = subprocess.run(
        [find_program("sgdisk"), "-v", "-i", "3", disk], capture_output=True, text=True, check=True
    ).stdout
    assert "No problems found" in table
    first, last = (int(re.search(rf"{word} sector: (\d+)", table)[1]) for word in ("First", "Last"))
    assert last * 512 > 3 * GIB - (4 << 20)
    root = tmp_path / "root"
    with disk.open("rb") as source, root.open("wb") as target:
        target.truncate((last - first + 1) * 512)
        copy_range(source.fileno(), target.fileno(), (last - first + 1) * 512, 0, at=first * 512)
    # It was stopped like a device that loses power: its journal comes first.
    repaired = subprocess.run(
        [find_program("e2fsck"), "-fy", root], capture_output=True, check=False
    )
    assert repaired.returncode in {0, 1}, repaired.stdout
    blocks = int(re.search(r"Block count:\s+(\d+)", debugfs(root, "show_super_stats -h"))[1])
    assert blocks * 4096 > 0.95 * (last - first) * 512
    names = debugfs(root, "ls -p /ostree/deploy/os/var/lib/ostrya")
    assert "/grown/" in names
    assert "/provisioned/" in names
    deployment = re.search(r"/([0-9a-f]{64}\.0)/", debugfs(root, "ls -p /ostree/deploy/os/deploy"))
    etc = f"/ostree/deploy/os/deploy/{deployment[1]}/etc"
    assert debugfs(root, f"cat {etc}/hostname") == "unit-7\n"
    assert "updates.example.com" in debugfs(root, f"cat {etc}/ostree/remotes.d/vendor.conf")
