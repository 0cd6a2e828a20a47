# SPDX-License-Identifier: Apache-2.0
"""A deployment staged by one tool, and finalized by the other, on a system that seems to run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support import os_tree, staged_machine
from support.commands import PEER, Command

pytestmark = pytest.mark.peer

# What the running deployment sees; /run is empty but for the mark of the boot and its own notes.
MOUNTS = """
set -e
mount --bind {running} root
mount --bind /usr root/usr
mount --bind sysroot root/sysroot
mount --bind sysroot/boot root/boot
mount --bind sysroot/ostree/deploy/test/var root/var
mount -t proc proc root/proc
mount --bind /dev root/dev
mount -t tmpfs run root/run
mkdir root/run/ostree
mount --bind state/run root/run/ostree
touch root/run/ostree-booted
exec chroot root {command}
"""


class Device:
    """A sysroot whose first release runs, and a second one to come."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.root = top / "sysroot"
        for name in ("sysroot", "root", "state/run", "state/usr", "state/var"):
            (top / name).mkdir(parents=True)
        env = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments", "OSTREE_SYSROOT": str(self.root)}
        self.peer = Command(PEER.path, "peer", env=env)
        self.peer("admin", "init-fs", self.root)
        self.peer("admin", "os-init", "test")
        self.first = self.release("1")
        self.peer("admin", "deploy", "--os=test", "--karg=quiet", "test/os")
        self.running = f"ostree/deploy/test/deploy/{self.first}.0"
        self.second = self.release("2")

    def release(self, version: str) -> str:
        tree = os_tree.make(self.top / f"tree-{version}", version)
        # The peer runs with the host's /usr.
        for name in ("lib", "lib64", "bin", "sbin"):
            (tree / name).symlink_to(f"usr/{name}")
        repo = f"--repo={self.root / 'ostree/repo'}"
        return self.peer(repo, "commit", "-b", "test/os", f"--tree=dir={tree}")

    def running_peer(self, *words: str) -> str:
        """Run the peer as if the first release had been booted; what it prints."""
        command = shlex.join(["/usr/bin/ostree", *words])
        script = MOUNTS.format(running=f"sysroot/{self.running}", command=command)
        # Its own processes as well: else it may not look at the first one's namespace.
        argv = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", script]
        env = {"PATH": os.environ["PATH"], "OSTREE_SYSROOT_DEBUG": "mutable-deployments"}
        done = subprocess.run(
            argv, cwd=self.top, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def running_ours(self, *words: str) -> None:
        script = [sys.executable, staged_machine.__file__]
        argv = [*script, str(self.root), str(self.top / "state"), self.running, *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def change(self, name: str) -> None:
        (self.root / self.running / "etc" / name).write_text("mine\n")

    def check(self, kargs: str) -> None:
        """The second release is booted next, with what was changed before and after staging."""
        etc = self.root / f"ostree/deploy/test/deploy/{self.second}.0/etc"
        for name in ("default", "same"):
            assert (etc / name).read_text() == "mine\n"
        assert (etc / "owner").read_text() == "owner 2\n"
        assert not (self.top / "state/run/staged-deployment").exists()
        entries = sorted((self.root / "boot/loader/entries").iterdir())
        options = [
            re.sub(r" ostree=[^ ]*", "", line)
            for path in entries
            for line in path.read_text().splitlines()
            if line.startswith("options ")
        ]
        assert options == ["options quiet", f"options {kargs}"]
        said = self.peer("admin", "status")
        assert [self.second in said, self.first in said] == [True, True]


@pytest.fixture
def device(tmp_path) -> Device:
    if os.geteuid() != 0:
        pytest.skip("only root deploys into a bare repository")
    return Device(tmp_path)


@pytest.mark.parametrize("kargs", ["quiet", "quiet more=1"])
def test_ours_is_finalized_by_the_peer(device, kargs):
    device.change("default")
    device.running_ours("stage", "test/os")
    if kargs != "quiet":
        device.running_ours("append-karg", kargs.rpartition(" ")[2])
    assert f"{device.second}.0 (staged)" in device.running_peer("admin", "status")
    device.change("same")
    device.running_peer("admin", "finalize-staged")
    device.check(kargs)


@pytest.mark.parametrize("words", [[], ["--karg=more=1"]])
def test_the_peers_is_finalized_by_ours(device, words):
    device.change("default")
    device.running_peer("admin", "deploy", "--stage", *words, "test/os")
    device.change("same")
    device.running_ours("finalize")
    device.check("quiet more=1" if words else "quiet")
