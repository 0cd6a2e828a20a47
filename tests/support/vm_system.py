# SPDX-License-Identifier: Apache-2.0
"""A small system for QEMU: a disk whose deployment is busybox with a shell on the serial line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from support.commands import OURS, PEER, Command, clean_environment
from support.qemu import Guest

LABEL = "otaroot"
UUID = "0fa1c0de-0000-4000-8000-00000000beef"
# Reads a line, runs it, says how it went.
INIT = """\
#!/bin/sh
PATH=/usr/bin
export PATH
read -r up < /proc/uptime
stty -echo
echo "GUEST up $*"
while read -r line; do
    eval "$line" 2>&1
    echo "GUEST status $?"
done
"""
_DEBUG = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}
WE_DEPLOY = Command(OURS.path, "ours", env=_DEBUG)
PEER_DEPLOYS = Command(PEER.path, "peer", env=_DEBUG)


class System(NamedTuple):
    """A sysroot in a directory, with one deployment.

    Attributes:
        top: The sysroot.
        commit: What is deployed.
        link: What ``ostree=`` says.
    """

    top: Path
    commit: str
    link: str

    @property
    def deployment(self) -> Path:
        """The directory of the deployment."""
        return self.top / f"ostree/deploy/os/deploy/{self.commit}.0"


def make_tree(tree: Path, busybox: Path, conf: str = "") -> Path:
    """Make the tree of a release, with that prepare-root.conf if any."""
    for name in ("usr/bin", "usr/sbin", "usr/etc", "usr/lib/modules/0-test", "usr/lib/ostree"):
        (tree / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib"):
        (tree / name).symlink_to(f"usr/{name}")
    for name in ("boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var"):
        (tree / name).mkdir()
    shutil.copy(busybox, tree / "usr/bin/busybox")
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout
    for name in names.split():
        if name != "busybox":
            (tree / "usr/bin" / name).symlink_to("busybox")
    (tree / "usr/sbin/init").write_text(INIT)
    (tree / "usr/sbin/init").chmod(0o755)
    (tree / "usr/etc/os-release").write_text("NAME=Test\nID=test\n")
    (tree / "usr/etc/default").write_text("of the tree\n")
    if conf:
        (tree / "usr/lib/ostree/prepare-root.conf").write_text(conf)
    # The kernel is the emulator's business.
    for name in ("vmlinuz", "initramfs.img"):
        (tree / "usr/lib/modules/0-test" / name).write_text(name)
    return tree


def make_system(
    folder: Path, busybox: Path, conf: str = "", *, command: Command = WE_DEPLOY
) -> System:
    """Deploy that tree into a new sysroot."""
    tree = make_tree(folder / "tree", busybox, conf)
    top = folder / "sysroot"
    top.mkdir()
    command("admin", "init-fs", "--modern", top)
    command("admin", "os-init", "os", "--sysroot", top)
    owned = ("--owner-uid=0", "--owner-gid=0", "--no-xattrs")
    commit = command(
        "commit", f"--repo={top}/ostree/repo", "-b", "test/os", *owned, f"--tree=dir={tree}"
    )
    command("admin", "deploy", "--os=os", f"--sysroot={top}", "test/os")
    (top / "ostree/deploy/os/var/kept").write_text("in /var\n")
    return System(top, commit, find_link(top))


def find_link(top: Path) -> str:
    """What the default boot entry says with ``ostree=``."""
    entries = sorted((top / "boot/loader/entries").glob("*.conf"))
    found = re.search(r"ostree=(\S+)", entries[-1].read_text())
    assert found is not None
    return found[1]


def make_disk(system: System, image: Path, *, size_mib: int = 64) -> Path:
    """Make a disk without partitions from a sysroot; root is not needed."""
    image.unlink(missing_ok=True)
    argv = [
        "mke2fs", "-q", "-t", "ext4", "-b", "4096", "-L", LABEL, "-U", UUID, "-E", "root_owner=0:0",
        "-d", str(system.top), str(image), f"{size_mib}M",
    ]  # fmt: skip
    subprocess.run(
        argv,
        check=True,
        env=clean_environment() | {"PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"},
    )
    return image


class Console:
    """The shell on the serial line of a guest that has booted this system."""

    def __init__(self, guest: Guest, *, timeout: float = 60) -> None:
        self.guest = guest
        self.arguments = guest.expect(r"^GUEST up ?(.*)\n", timeout)[1]

    def run(self, line: str, *, status: int | None = 0, timeout: float = 30) -> str:
        """Run a line there and return what it says."""
        start = len(self.guest.transcript)
        self.guest.send(line)
        found = self.guest.expect(r"GUEST status (\d+)\n", timeout)
        said = self.guest.transcript[start : found.start()]
        if status is not None:
            assert int(found[1]) == status, f"{line}: status {found[1]}\n{said}"
        return said.rstrip("\n")
