# SPDX-License-Identifier: Apache-2.0
"""Disks with two releases of a small system on them, and how QEMU starts them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from ostrya.image.board import Board, load_board
from ostrya.image.board_parts import Qemu
from ostrya.image.builder import Disk, DiskOptions, build_disk
from ostrya.image.release import ReleaseOptions, commit_release
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import open_repository
from support.qemu import Guest
from support.small_repos import make_repo
from support.vm_system import Console

REF = "os/stable"
TIMESTAMP = 1700000000


class SmallDisk(NamedTuple):
    """A disk, with what it was built of."""

    board: Board
    disk: Disk
    commits: list[str]

    def start(self, folder: Path, how: str = "qemu", *, log: Path | None = None) -> Guest:
        """Start it; what the guest writes stays in the file."""
        qemu = getattr(self.board, how)
        assert isinstance(qemu, Qemu)
        variables = folder / "firmware-variables"
        if qemu.firmware_vars and not variables.exists():
            shutil.copyfile(qemu.firmware_vars, variables)
        return Guest(qemu.argv(self.disk.path, str(variables)), log=log)


def commit_small_releases(folder: Path, *, arch: str = "amd64", count: int = 2) -> Path:
    """Make a repository with releases of the small system; return it."""
    import small_device

    path = folder / "releases"
    with make_repo(path) as repo:
        for number in range(1, count + 1):
            tar = small_device.make_tar(folder / "rootfs.tar", arch=arch, version=str(number))
            options = ReleaseOptions(REF, TIMESTAMP + number, str(number))
            commit_release(repo, str(tar), options)
            tar.unlink()
    return path


def build_small_disk(releases: Path, target: Path, board: str, **options: object) -> SmallDisk:
    """Build a disk with the last two releases on it, the last one on trial."""
    found = load_board(board)
    with open_repository(str(releases)) as repo:
        commits = [require_rev(repo, f"{REF}^"), require_rev(repo, REF)]
        wanted = DiskOptions(REF, TIMESTAMP)._replace(**options)
        disk = build_disk(repo, commits, found, str(target), wanted)
    return SmallDisk(found, disk, [str(commit) for commit in commits])


def console(guest: Guest, release: str, *, timeout: float = 150) -> Console:
    """Wait for a release's shell."""
    found = Console(guest, timeout=timeout)
    assert found.arguments == release, guest.tail()
    return found
