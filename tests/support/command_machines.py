# SPDX-License-Identifier: Apache-2.0
"""A sysroot in a directory, with releases of one system to deploy in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ostrya.sysroot.loading import Loaded, load_sysroot
from ostrya.sysroot.sysroot import Sysroot, SysrootOptions
from support import os_tree
from support.commands import OURS, Command


class Machine:
    """A sysroot, and our command to change it."""

    def __init__(self, top: Path, **env: str) -> None:
        self.top = top
        self.root = top / "sysroot"
        self.root.mkdir(exist_ok=True)
        settings = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments", "OSTREE_SYSROOT": str(self.root)}
        self.ours = Command(OURS.path, "ours", env={**settings, **env})
        self.ours("admin", "init-fs", "--modern", self.root)
        self.ours("admin", "stateroot-init", "test")
        self.repo = f"--repo={self.root / 'ostree/repo'}"

    def set(self, key: str, value: str) -> None:
        """Change a setting of the system repository."""
        self.ours(self.repo, "config", "set", key, value)

    def release(self, version: str, kernel: str | None = None, *, kernel_bytes: int = 0) -> str:
        """Commit a release, perhaps with the kernel of another one, or a large one; its checksum."""
        tree = os_tree.make(self.top / f"tree-{version}", version)
        modules = tree / "usr/lib/modules" / os_tree.KERNEL
        if kernel is not None:
            (modules / "vmlinuz").write_text(f"kernel {kernel}\n")
            (modules / "initramfs.img").write_text(f"ramdisk {kernel}\n")
        if kernel_bytes:
            with (modules / "vmlinuz").open("ab") as stream:
                stream.truncate(kernel_bytes)
        return self.ours(self.repo, "commit", "-b", "test/os", f"--tree=dir={tree}")

    def deploy(self, *words: str) -> str:
        """Deploy the newest release; what is said."""
        return self.ours("admin", "deploy", "--os=test", *words, "test/os")

    @contextmanager
    def opened(self) -> Iterator[Sysroot]:
        """Open it."""
        with Sysroot(str(self.root), options=SysrootOptions(mutable_deployments=True)) as sysroot:
            yield sysroot

    def load(self) -> Loaded:
        """What it has."""
        with self.opened() as sysroot:
            return load_sysroot(sysroot)

    def commits(self) -> list[str]:
        """The commits of its deployments, the default first."""
        return [str(one.checksum) for one in self.load().deployments]

    def entries(self) -> list[str]:
        """The names of the boot entries' files."""
        return sorted(os.listdir(self.root / "boot/loader/entries"))

    def links_are_true(self) -> bool:
        """Whether every boot entry leads to a deployment with the kernel that it names."""
        return all(self._is_true(name) for name in self.entries())

    def _is_true(self, name: str) -> bool:
        text = (self.root / "boot/loader/entries" / name).read_text()
        fields = dict(line.split(" ", 1) for line in text.splitlines())
        link = next(
            word.removeprefix("ostree=/")
            for word in fields["options"].split()
            if word.startswith("ostree=")
        )
        tree = self.root / link / "usr/lib/modules" / os_tree.KERNEL
        boot = self.root / "boot"
        return (tree / "vmlinuz").read_text() == (boot / fields["linux"][1:]).read_text() and (
            tree / "initramfs.img"
        ).read_text() == (boot / fields["initrd"][1:]).read_text()
