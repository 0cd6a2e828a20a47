# SPDX-License-Identifier: Apache-2.0
"""A program of a tree, run within that tree, by ``bwrap``.

The tree's ``usr``, ``etc`` and ``var`` are where programs look for them; of the running system
there is nothing but devices and what the kernel says of them.

A program that asks which disk ``/`` is on needs the tree for its root, as it will be when booted.

Source: ostree-sysroot-deploy.c (_ostree_sysroot_run_in_deployment); ostree-bootloader-grub2.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence

BWRAP = "/usr/bin/bwrap"
_SYS = ("block", "bus", "class", "dev", "devices")
_WRITABLE = ("usr", "etc", "var")
_LINKS = ("lib", "lib32", "lib64", "bin", "sbin")


def sandbox_argv(
    tree: str, argv: Sequence[str], binds: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """Return the command line that runs a program within a tree.

    Args:
        tree: Its directory.
        argv: The program and its arguments.
        binds: Further directories: where they are, and where they appear.
    """
    command = [BWRAP, "--dev", "/dev", "--proc", "/proc"]
    command += ["--dir", "/run", "--dir", "/tmp"]  # noqa: S108  # the program's own, empty
    command += ["--chdir", "/", "--die-with-parent"]
    command += ["--unshare-pid", "--unshare-uts", "--unshare-ipc", "--unshare-cgroup-try"]
    for name in _SYS:
        command += ["--ro-bind", f"/sys/{name}", f"/sys/{name}"]
    for name in _WRITABLE:
        command += ["--bind", f"{tree}/{name}", f"/{name}"]
    for name in _LINKS:
        command += ["--symlink", f"/usr/{name}", f"/{name}"]
    for source, target in binds:
        command += ["--bind", source, target]
    return [*command, "--", *argv]


def run_in_tree(tree: str, argv: Sequence[str], binds: Sequence[tuple[str, str]] = ()) -> bytes:
    """Run a program within a tree, and return what it wrote.

    Raises:
        CommandFailed: It failed, or there is no ``bwrap``.
    """
    return run(sandbox_argv(tree, argv, binds))


def root_argv(tree: str, sysroot: str, argv: Sequence[str]) -> list[str]:
    """Return the command line that runs a program with a tree for its root.

    Args:
        tree: Its directory.
        sysroot: The sysroot that it is in: the program's ``/sysroot``, and its ``/boot``.
        argv: The program and its arguments.
    """
    command = [BWRAP, "--bind", tree, "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"]
    command += ["--ro-bind", "/sys", "/sys", "--tmpfs", "/run"]
    command += ["--tmpfs", "/tmp"]  # noqa: S108  # the program's own, empty
    command += ["--bind", sysroot, "/sysroot", "--bind", f"{sysroot}/boot", "/boot"]
    command += ["--chdir", "/", "--die-with-parent"]
    return [*command, "--", *argv]
