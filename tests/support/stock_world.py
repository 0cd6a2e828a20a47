# SPDX-License-Identifier: Apache-2.0
"""A device that has Debian's ``ostree`` and nothing of ours but what it boots by.

Its disk is one that we build, with our ramdisk and boot script; what deploys and pulls on it is
libostree alone.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import device_tree
from ostrya.image.board import load_board
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.image.release import ReleaseOptions, commit_release
from ostrya.repo.modes import RepoMode
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import create_repository
from support.commands import OURS
from support.device import Device

BOARD = "qemu-x86_64-uboot"
TIME = 1_767_225_600
PACKAGES = ("ostree", "kmod", "iproute2", "mount")
NAME = "stock-base"
# What is a host for a guest behind QEMU's own network.
HOST = "10.0.2.2"
_INIT = f"""\
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/root TERM=dumb
read -r release < /usr/share/release
exec < /dev/console > /dev/console 2>&1
stty -echo -onlcr
mount -t tmpfs tmpfs /tmp
mountpoint -q /var || mount --bind "$(echo /sysroot/ostree/deploy/*/var)" /var
modprobe virtio_net
for link in /sys/class/net/e*; do link=${{link##*/}}; done
ip addr add 10.0.2.15/24 dev "$link"
ip link set "$link" up
ip route add default via {HOST}
echo "device: release=$release pick= behaviour=good"
echo "device: ready release=$release"
while :; do setsid -c sh -c 'PS1= PS2= exec sh'; done
"""

_REBOOT = """\
#!/bin/sh
sync
echo b > /proc/sysrq-trigger
"""


class World(NamedTuple):
    """What a test needs.

    Attributes:
        repo: A repository with ``os/1`` and ``os/2``, for a server.
        disk: Of a device that has ``os/1``.
        commits: Of both, by their refs.
    """

    repo: Path
    disk: Path
    commits: dict[str, str]


def missing() -> str:
    """Empty if the disk can be built, else why not."""
    if shutil.which("qemu-system-x86_64") is None:
        return "qemu-system-x86_64 is not installed"
    return device_tree.missing(name=NAME)


def build_world(top: Path) -> World:
    """Build all of it, in an empty folder."""
    path, tar = top / "repo", top / "debian.tar"
    files = {
        "usr/lib/stock-init": _INIT,
        "usr/sbin/reboot": _REBOOT,
        "etc/fstab": "",
        **device_tree.release_files("1"),
    }
    base = device_tree.build_base(packages=PACKAGES, name=NAME)
    device_tree.add_files(shutil.copyfile(base, tar), files)
    changes = top / "changes"
    for name, text in device_tree.release_files("2").items():
        (changes / name).parent.mkdir(parents=True, exist_ok=True)
        (changes / name).write_text(text)
    with create_repository(str(path), RepoMode.ARCHIVE) as repo:
        commit_release(repo, str(tar), ReleaseOptions("os/1", TIME, "1"))
        tar.unlink()
        OURS(
            "commit", f"--repo={path}", "--branch=os/2", "--base=os/1", f"--tree=dir={changes}",
            "--owner-uid=0", "--owner-gid=0", "--bootable", f"--timestamp=@{TIME + 60}",
            "--add-metadata-string=version=2",
        )  # fmt: skip
        commits = {ref: require_rev(repo, ref) for ref in ("os/1", "os/2")}
        options = DiskOptions("os/1", TIME, kargs=("init=/usr/lib/stock-init", "panic=1", "quiet"))
        build_disk(repo, [commits["os/1"]], load_board(BOARD), str(top / "disk.img"), options)
    return World(path, top / "disk.img", commits)


def make_device(world: World, top: Path) -> Device:
    """Return a device with a network and a disk of its own, switched off."""
    own = top / "own.img"
    subprocess.run(["cp", "--sparse=always", world.disk, own], check=True)
    qemu = load_board(BOARD).qemu
    assert qemu is not None
    argv = [*qemu.argv(str(own)), "-nic", "user,model=virtio-net-pci"]
    return Device(argv, own, top / "console")
