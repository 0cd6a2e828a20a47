# SPDX-License-Identifier: Apache-2.0
"""The links between boot entries and deployments.

::

    ostree/boot.0 -> boot.0.1                                   swapped by one rename
    ostree/boot.0.1/os/3f…/0 -> ../../../deploy/os/deploy/5c….0

A boot entry says ``ostree=/ostree/boot.0/os/3f…/0``: as long as kernel and arguments stay, another
deployment takes the place of one without a word in the boot loader's files.

Source: ostree-sysroot-deploy.c (create_new_bootlinks, swap_bootlinks).
"""

from __future__ import annotations

import os
from collections import Counter
from errno import EEXIST, EPERM
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import remove_tree, unlink_if_exists
from ostrya._linux.rename import rename_exchanging
from ostrya.boot.install import make_dirs
from ostrya.sysroot import paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ostrya.sysroot.deployment import Deployment


def number_deployments(deployments: Sequence[Deployment]) -> list[Deployment]:
    """Tell deployments with the same kernel apart, in their order."""
    counts: Counter[str] = Counter()
    numbered = []
    for deployment in deployments:
        numbered.append(deployment._replace(bootserial=counts[deployment.bootcsum]))
        counts[deployment.bootcsum] += 1
    return numbered


def number_new_deployments(
    deployments: Sequence[Deployment], known: Iterable[Deployment]
) -> list[Deployment]:
    """The same, but those that are known keep their number, so that their links stay true."""
    numbers = {(one.stateroot, one.name): one.bootserial for one in known}
    taken = {(one.bootcsum, one.bootserial) for one in known}
    numbered = []
    for deployment in deployments:
        number = numbers.get((deployment.stateroot, deployment.name))
        if number is None:
            number = 0
            while (deployment.bootcsum, number) in taken:
                number += 1
            taken.add((deployment.bootcsum, number))
        numbered.append(deployment._replace(bootserial=number))
    return numbered


def make_links(
    sysroot_fd: int, bootversion: int, subbootversion: int, deployments: Iterable[Deployment]
) -> None:
    """Make one of the two sets of links of a bootversion anew; nothing leads there yet."""
    top = paths.boot_links_dir(bootversion, subbootversion)
    remove_tree(top, dir_fd=sysroot_fd)
    make_dirs(top, dir_fd=sysroot_fd)
    for deployment in deployments:
        folder = f"{top}/{deployment.stateroot}/{deployment.bootcsum}"
        make_dirs(folder, dir_fd=sysroot_fd)
        link = f"{folder}/{deployment.bootserial}"
        unlink_if_exists(link, dir_fd=sysroot_fd)
        target = f"../../../{deployment.path.removeprefix('ostree/')}"
        os.symlink(target, link, dir_fd=sysroot_fd)


def swap_links(sysroot_fd: int, bootversion: int, subbootversion: int) -> None:
    """Let a bootversion lead to one of its two sets of links, by one rename."""
    path = paths.boot_links(bootversion)
    # Nobody else writes here: the sysroot is locked.
    unlink_if_exists(f"{path}.tmp", dir_fd=sysroot_fd)
    target = paths.boot_links_dir(bootversion, subbootversion).rpartition("/")[2]
    os.symlink(target, f"{path}.tmp", dir_fd=sysroot_fd)
    os.rename(f"{path}.tmp", path, src_dir_fd=sysroot_fd, dst_dir_fd=sysroot_fd)


def prepare_loader_swap(sysroot_fd: int, bootversion: int) -> None:
    """Make the link to a bootversion's entries, under another name for now."""
    unlink_if_exists(paths.NEW_LOADER, dir_fd=sysroot_fd)
    target = paths.loader_dir(bootversion).rpartition("/")[2]
    os.symlink(target, paths.NEW_LOADER, dir_fd=sysroot_fd)


def swap_loader(sysroot_fd: int) -> None:
    """Let ``boot/loader`` be that link, by one rename.

    The old one stays, under the other name, to be deleted once the directory is in its place on the
    disk: GRUB and U-Boot read no journal, and could find the old name leading to a deleted link.
    """
    rename_exchanging(paths.NEW_LOADER, paths.LOADER, dir_fd=sysroot_fd)


def link_boot_to_itself(sysroot_fd: int) -> None:
    """Make ``/boot/x`` and ``/x`` the same, be ``/boot`` a file system of its own or not."""
    try:
        os.symlink(".", "boot/boot", dir_fd=sysroot_fd)
    except OSError as exc:
        if exc.errno not in (EEXIST, EPERM):
            raise
