# SPDX-License-Identifier: Apache-2.0
"""The rows about deployments: the Debian tree, in the form that can be deployed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

PEER = "/usr/bin/ostree"
NAME = "shared-sysroot"
# Else what is deployed could not be deleted afterwards.
VARIABLES = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments"}


class Workbench(Protocol):
    """The folder in which things are measured, and the trees."""

    tree: Path
    update: Path | None

    def path(self, name: str) -> Path:
        """A path in the work folder."""

    def remove(self, name: str) -> None:
        """Put something in the work folder out of the way."""


def deployable(bench: Workbench, number: int, tree: Path) -> Path:
    """A tree of hard links with its kernel and its settings where deployments have them."""
    target = bench.path(f"deployable-{number}")
    subprocess.run(["cp", "-al", str(tree), str(target)], check=True)
    (target / "etc").rename(target / "usr/etc")
    (kernel,) = (target / "boot").glob("vmlinuz-*")
    version = kernel.name.removeprefix("vmlinuz-")
    modules = target / "usr/lib/modules" / version
    kernel.rename(modules / "vmlinuz")
    (target / f"boot/initrd.img-{version}").rename(modules / "initramfs.img")
    return target


def shared_sysroot(bench: Workbench) -> Path:
    """A sysroot whose repository has both releases as refs ``r1`` and ``r2``, made by the peer."""
    root = bench.path(NAME)
    if root.exists():
        return root
    os.environ.update(VARIABLES)
    unfinished = bench.path(f"{NAME}.new")
    unfinished.mkdir()
    run("admin", "init-fs", str(unfinished))
    run("admin", "os-init", f"--sysroot={unfinished}", "debian")
    for number, tree in enumerate((bench.tree, bench.update or bench.tree), 1):
        made = deployable(bench, number, tree)
        repo = f"--repo={unfinished}/ostree/repo"
        run(repo, "commit", "-b", f"r{number}", f"--tree=dir={made}")
    unfinished.rename(root)
    return root


def fresh_sysroot(bench: Workbench) -> str:
    """A copy of hard links of it; its path."""
    root = shared_sysroot(bench)
    bench.remove("out")
    subprocess.run(["cp", "-al", str(root), str(bench.path("out"))], check=True)
    return str(bench.path("out"))


def prepare_deploy(bench: Workbench, tool: str) -> list[str]:
    """A first deployment."""
    return deploy_argv(tool, fresh_sysroot(bench), "r1")


def prepare_second(bench: Workbench, tool: str) -> list[str]:
    """A second one, beside a first one made by the peer."""
    root = fresh_sysroot(bench)
    run(*deploy_argv(PEER, root, "r1")[1:])
    return deploy_argv(tool, root, "r2")


def deploy_argv(tool: str, root: str, ref: str) -> list[str]:
    """The command that deploys a ref."""
    return [tool, "admin", "deploy", f"--sysroot={root}", "--os=debian", "--karg=quiet", ref]


def status_argv(bench: Workbench) -> Callable[[str], list[str]]:
    """The command that lists two deployments."""
    root = fresh_sysroot(bench)
    for ref in ("r1", "r2"):
        run(*deploy_argv(PEER, root, ref)[1:])
    return lambda tool: [tool, "admin", "status", f"--sysroot={root}"]


def run(*words: str) -> None:
    """Run the peer."""
    devnull = subprocess.DEVNULL
    subprocess.run([PEER, *words], check=True, stdout=devnull, stderr=devnull)
