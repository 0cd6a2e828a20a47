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
from ostrya.image.board_parts import Qemu
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.image.release import ReleaseOptions, commit_release
from ostrya.repo.modes import RepoMode
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import Repository, create_repository
from support.commands import OURS
from support.systemd_device import SystemdDevice

BOARD = "qemu-x86_64-uboot"
# Boards, and what their machines are called.
MACHINES = {
    "qemu-arm64": "aarch64",
    "qemu-arm": "armv7l",
    "qemu-x86_64": "x86_64",
    "qemu-x86_64-bios": "x86_64",
    "qemu-x86_64-systemd-boot": "x86_64",
    BOARD: "x86_64",
    "generic-uefi-x86_64": "x86_64",
    "qemu-riscv64": "riscv64",
}
_ARCHITECTURES = {
    "aarch64": "arm64", "armv7l": "armhf", "riscv64": "riscv64", "x86_64": "amd64",
}  # fmt: skip
FIRST = "os/1"
TIME = 1_767_225_600
KARGS = ("loglevel=4", "mitigations=off")
_BIOS = "-bios"
# By hand: the machine for RISC-V does not heed -nic.
_NETWORK = (
    "-netdev", "user,id=network", "-device", "virtio-net-pci,netdev=network,romfile=",
)  # fmt: skip
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
# Large enough for a patch to be the cheapest.
_NUMBERS = "usr/share/numbers"
_FIRST_NUMBERS = "".join(f"number {number * 7919 % 100_003}\n" for number in range(20_000))
# What releases have that the first has not; a text that begins with #! is executable.
RELEASES: dict[str, dict[str, str]] = {
    "os/2": {
        "usr/etc/new-in-2": "2\n",
        "usr/etc/issue.net": "changed in 2\n",
        _NUMBERS: _FIRST_NUMBERS.replace("number 7919\n", "seven thousand nine hundred and more\n"),
    },
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
    for program in (_qemu(board).program, "mke2fs", "debugfs"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return device_tree.missing(_arch(board))


def _arch(board: str) -> str:
    return _ARCHITECTURES[MACHINES[board]]


def _qemu(name: str) -> Qemu:
    """What starts a board; of one with ``-bios`` behind its name, with firmware of the old kind."""
    board = load_board(name.removesuffix(_BIOS))
    qemu = board.qemu_bios if name.endswith(_BIOS) else board.qemu
    assert qemu is not None
    return qemu


def build_world(board: str = BOARD) -> World:
    """Build the disk, or find it."""
    name = board.removesuffix(_BIOS)
    folder = cache_folder() / "systemd-device" / name
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        top = folder / _fingerprint(_arch(board))
        if not top.exists():
            for old in folder.iterdir():
                if old.is_dir():
                    shutil.rmtree(old)
            unfinished = folder / "unfinished"
            unfinished.mkdir()
            _build(unfinished, name)
            unfinished.rename(top)
    with create_repository(str(top / "repo"), RepoMode.ARCHIVE) as repo:
        return World(top / "disk.img", _commits(repo), board)


def repository(world: World) -> Path:
    """Return the repository that has all releases."""
    return world.disk.parent / "repo"


def make_device(world: World, top: Path, *, networked: bool = False) -> SystemdDevice:
    """Return a device with a disk of its own, switched off."""
    own, variables = top / "disk.img", top / "firmware-variables"
    subprocess.run(["cp", "--sparse=always", world.disk, own], check=True)
    qemu = _qemu(world.board)
    if qemu.firmware_vars:
        shutil.copyfile(qemu.firmware_vars, variables)
    return SystemdDevice(
        [
            *qemu.argv(str(own), str(variables)),
            *(_NETWORK if networked else ("-nic", "none")),
        ],
        top / "console.log",
        tells_kargs=world.board == BOARD,
    )  # fmt: skip


def _build(top: Path, board: str) -> None:
    files = {_NUMBERS: _FIRST_NUMBERS}
    tar = device_tree.make_device_tar(
        top / "debian.tar", version="1", arch=_arch(board), files=files
    )
    with create_repository(str(top / "repo"), RepoMode.ARCHIVE) as repo:
        for group, key, value in (("core", "fsync", "false"), ("archive", "zlib-level", "1")):
            OURS("config", f"--repo={top}/repo", "set", f"{group}.{key}", value)
        repo.reload_config()
        found = load_board(board)
        wanted = ReleaseOptions(FIRST, TIME, "1", found.fstab, found.ramdisk_modules)
        commit_release(repo, str(tar), wanted)
        tar.unlink()
        for ref, files in RELEASES.items():
            _commit_changes(top, ref, files)
        commits = _commits(repo)
        # What a device gets over HTTP it has not from the start.
        preloaded = RELEASES if board == BOARD else ("os/sick",)
        others = tuple((ref, commits[ref]) for ref in preloaded)
        options = DiskOptions(FIRST, TIME, kargs=KARGS, preloaded=others)
        build_disk(repo, [commits[FIRST]], found, str(top / "disk.img"), options)


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
    # Made first where they are not here yet: the name may not be another one afterwards.
    base = device_tree.build_base(arch)
    digest.update(str(base.stat().st_mtime_ns).encode())
    return digest.hexdigest()[:16]
