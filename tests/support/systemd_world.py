# SPDX-License-Identifier: Apache-2.0
"""The disk of a device that Debian's systemd starts, and releases that it has and can deploy.

It is built once and kept in the cache folder, under a name that says what it was built of.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import device_tree
from debian_tree import cache_folder
from filelock_once import locked
from ostrya.image.board import load_board
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.image.release import ReleaseOptions, commit_release
from ostrya.repo.modes import RepoMode
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import Repository, create_repository
from support.commands import OURS
from support.systemd_device import SystemdDevice

BOARD = "qemu-x86_64-uboot"
ARM_BOARD = "qemu-arm64"
FIRST = "os/1"
TIME = 1_767_225_600
KARGS = ("loglevel=4", "mitigations=off")
_UNITS = "usr/lib/systemd/system"
_HANG = """\
[Unit]
Description=Never come to an end
Before=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sleep infinity
"""
_DEADLINE = "[Timer]\nOnBootSec=60s\n"
_SICK = "#!/bin/sh\necho 'the radio is down' >&2\nexit 1\n"
# What releases have that the first has not; a text that begins with #! is executable.
RELEASES: dict[str, dict[str, str]] = {
    "os/2": {"usr/etc/new-in-2": "2\n", "usr/etc/issue.net": "changed in 2\n"},
    "os/3": {"usr/etc/new-in-3": "3\n"},
    "os/sick": {"usr/lib/ostrya/health/required.d/50-radio": _SICK},
    "os/hang": {
        f"{_UNITS}/hang.service": _HANG,
        f"{_UNITS}/multi-user.target.wants/hang.service": "->../hang.service",
        f"{_UNITS}/ostrya-trial-deadline.timer.d/test.conf": _DEADLINE,
    },
}


class World(NamedTuple):
    """A disk, and what is on it.

    Attributes:
        disk: Its image; nobody changes it.
        commits: Of releases, by their refs; all are in the disk's repository.
        board: What it is a disk of.
    """

    disk: Path
    commits: dict[str, str]
    board: str


def missing(board: str = BOARD) -> str:
    """Empty if disks can be built, else why not."""
    emulator = "qemu-system-x86_64" if board == BOARD else "qemu-system-aarch64"
    for program in (emulator, "mke2fs", "debugfs"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return device_tree.missing(_arch(board))


def _arch(board: str) -> str:
    return "arm64" if board == ARM_BOARD else "amd64"


def build_world(board: str = BOARD) -> World:
    """Build the disk, or find it."""
    folder = cache_folder() / "systemd-device" / board
    folder.mkdir(parents=True, exist_ok=True)
    name = _fingerprint(_arch(board))
    with locked(folder / "lock"):
        top = folder / name
        if not top.exists():
            for old in folder.iterdir():
                if old.is_dir():
                    shutil.rmtree(old)
            unfinished = folder / "unfinished"
            unfinished.mkdir()
            _build(unfinished, board)
            unfinished.rename(top)
    with create_repository(str(top / "repo"), RepoMode.ARCHIVE) as repo:
        return World(top / "disk.img", _commits(repo), board)


def make_device(world: World, top: Path) -> SystemdDevice:
    """Return a device with a disk of its own, switched off."""
    own = top / "disk.img"
    subprocess.run(["cp", "--sparse=always", world.disk, own], check=True)
    qemu = load_board(world.board).qemu
    assert qemu is not None
    return SystemdDevice(
        [*qemu.argv(str(own)), "-nic", "none"],
        top / "console.log",
        tells_kargs=world.board == BOARD,
    )


def _build(top: Path, board: str) -> None:
    tar = device_tree.make_device_tar(top / "debian.tar", version="1", arch=_arch(board))
    with create_repository(str(top / "repo"), RepoMode.ARCHIVE) as repo:
        for group, key, value in (("core", "fsync", "false"), ("archive", "zlib-level", "1")):
            OURS("config", f"--repo={top}/repo", "set", f"{group}.{key}", value)
        repo.reload_config()
        commit_release(repo, str(tar), ReleaseOptions(FIRST, TIME, "1"))
        tar.unlink()
        for ref, files in RELEASES.items():
            _commit_changes(top, ref, files)
        commits = _commits(repo)
        others = tuple((ref, commits[ref]) for ref in RELEASES)
        options = DiskOptions(FIRST, TIME, kargs=KARGS, preloaded=others)
        build_disk(repo, [commits[FIRST]], load_board(board), str(top / "disk.img"), options)


def _commits(repo: Repository) -> dict[str, str]:
    return {ref: require_rev(repo, ref) for ref in (FIRST, *RELEASES)}


def _commit_changes(top: Path, ref: str, files: dict[str, str]) -> None:
    version = ref.rpartition("/")[2]
    changes = top / f"changes-{version}"
    for name, text in (files | device_tree.release_files(version)).items():
        path = changes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            path.symlink_to(text[2:])
        else:
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)
    OURS(
        "commit", f"--repo={top}/repo", f"--branch={ref}", f"--base={FIRST}",
        f"--tree=dir={changes}", "--owner-uid=0", "--owner-gid=0", "--bootable",
        f"--add-metadata-string=version={version}", f"--timestamp=@{TIME + 60}",
    )  # fmt: skip


def _fingerprint(arch: str) -> str:
    """What a disk depends on: our sources, this file, and Debian's packages."""
    digest = hashlib.sha256()
    for path in sorted([*device_tree.SOURCE.rglob("*"), Path(__file__)]):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so":
            digest.update(str(path.relative_to(path.anchor)).encode())
            digest.update(path.read_bytes())
    digest.update(Path(device_tree.__file__).read_bytes())
    base = device_tree.base_path(arch)
    digest.update(str(base.stat().st_mtime_ns if base.exists() else 0).encode())
    return digest.hexdigest()[:16]
