# SPDX-License-Identifier: Apache-2.0
"""Disks that we build, started in QEMU by the firmware and the boot loader of their boards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import small_device
from ostrya.image.board import load_board
from ostrya.image.filesystem import find_program
from support import qemu
from support.commands import PEER
from support.image_world import carve, debugfs
from support.small_disks import REF, TIMESTAMP, build_small_disk, commit_small_releases, console

SRC = Path(__file__).resolve().parents[2] / "src/ostrya"
BOARDS = (
    ("qemu-x86_64-uboot", "qemu", "amd64"),
    ("qemu-x86_64", "qemu", "amd64"),
    ("qemu-x86_64", "qemu_bios", "amd64"),
    ("qemu-x86_64-systemd-boot", "qemu", "amd64"),
    pytest.param("qemu-arm64", "qemu", "arm64", marks=pytest.mark.vm_full),
)

pytestmark = [
    pytest.mark.vm,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("images"),
    pytest.mark.skipif(bool(reason := small_device.missing()), reason=reason or "none"),
]


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """A function that gives the repository with the releases of an architecture."""
    made: dict[str, Path] = {}

    def of(arch: str) -> Path:
        if arch not in made:
            made[arch] = commit_small_releases(
                tmp_path_factory.mktemp(f"releases-{arch}"), arch=arch
            )
        return made[arch]

    return of


def need(board: str, how: str) -> None:
    found = getattr(load_board(board), how)
    if reason := qemu.missing(found.program):
        pytest.skip(reason)
    for path in (*found.firmware, found.firmware_vars):
        if path and not Path(path).exists():
            pytest.skip(f"{path} is not installed")


@pytest.mark.parametrize(("board", "how", "arch"), BOARDS)
def test_the_newest_release_is_started_on_trial(releases, tmp_path, board, how, arch, request):
    """It has its own files, the /var that the first one brought, and a /usr that cannot be written."""
    need(board, how)
    disk = build_small_disk(releases(arch), tmp_path / "disk", board)
    with disk.start(tmp_path, how) as guest:
        shell = console(guest, "2")
        line = shell.run("cat /proc/cmdline")
        assert "root=LABEL=otaroot rootfstype=ext4 panic=5 console=" in line
        if board != "qemu-x86_64-systemd-boot":
            assert "ostrya.pick=trial" in line
        said = shell.run("cat /etc/greeting /var/lib/begun; stat -c '%u %a' /var/lib/begun")
        # The line itself may come back as an echo.
        assert said.splitlines()[-3:] == ["of release 2", "with release 1", "0 600"]
        assert "Read-only" in shell.run("touch /usr/x", status=1)
        shell.run("touch /etc/x /var/x && sync")


AS_NOBODY = """
import sys
from ostrya.image.board import load_board
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import open_repository

repo, target, ref, timestamp = sys.argv[1:]
with open_repository(repo) as opened:
    commits = [require_rev(opened, f"{ref}^"), require_rev(opened, ref)]
    build_disk(opened, commits, load_board("qemu-x86_64"), target, DiskOptions(ref, int(timestamp)))
"""


@pytest.fixture
def open_folder():
    """A directory that anybody may write to."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.mark.root
def test_nobody_builds_the_same_in_a_sandbox(releases, tmp_path, open_folder):
    """In a user namespace where nobody is root; with Debian's Python, and no package but ours."""
    first = build_small_disk(releases("amd64"), tmp_path / "first", "qemu-x86_64")
    for source, name in ((releases("amd64"), "releases"), (SRC, "ostrya")):
        shutil.copytree(source, open_folder / name)
    subprocess.run(["chmod", "-R", "a+rX", open_folder], check=True)
    target = open_folder / "second"
    argv = [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "-U",
        "env", "-i", f"PYTHONPATH={open_folder}", "TZ=Asia/Tokyo", "/usr/bin/python3", "-c",
        AS_NOBODY, open_folder / "releases", target, REF, str(TIMESTAMP),
    ]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=open_folder)
    if done.stderr.startswith("unshare:"):
        pytest.skip("no user namespaces here")
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == Path(first.disk.path).read_bytes()
    assert sorted(os.listdir(open_folder)) == ["ostrya", "releases", "second"]


@pytest.mark.peer
@pytest.mark.root
def test_ostree_reads_what_is_on_the_disk(releases, tmp_path):
    """Debian's ostree: the repository is sound, and the deployments are what was put there."""
    disk = build_small_disk(releases("amd64"), tmp_path / "disk", "qemu-x86_64-uboot")
    plan = disk.disk.plan
    root = carve(tmp_path / "disk", tmp_path / "root", plan.offset(1), plan.size(1))
    subprocess.run([find_program("e2fsck"), "-fn", root], check=True, capture_output=True)
    (tmp_path / "out").mkdir()
    debugfs(root, f"rdump / {tmp_path}/out")
    top = tmp_path / "out"
    for file in (top / "ostree/repo/objects").glob("*/*"):
        os.utime(file, (0, 0), follow_symlinks=False)
    PEER(f"--repo={top}/ostree/repo", "fsck")
    said = PEER("admin", "status", f"--sysroot={top}")
    assert [line.split()[1] for line in said.splitlines() if line.startswith("  os ")] == [
        f"{commit}.0" for commit in disk.commits[::-1]
    ]
    assert PEER(f"--repo={top}/ostree/repo", "rev-parse", REF) == disk.commits[1]
