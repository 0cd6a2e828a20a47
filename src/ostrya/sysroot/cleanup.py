# SPDX-License-Identifier: Apache-2.0
"""Deleting what no boot entry leads to any more.

Of a deployment everything beside its directory goes first: an origin without a deployment would
never be found again.

Source: ostree-sysroot-cleanup.c.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.atomic import is_temporary_name
from ostrya._linux.dirfd import list_names, open_dir, remove_tree, unlink_if_exists
from ostrya._linux.inode_flags import set_immutable
from ostrya._linux.naming import names_sysroot
from ostrya._linux.trace import trace
from ostrya.boot.entry_files import read_entry_files
from ostrya.boot.trace_points import Point
from ostrya.errors import SysrootError
from ostrya.formats.checksum import is_checksum
from ostrya.repo.prune import PruneResult, prune
from ostrya.repo.refs import list_refs
from ostrya.repo.transaction import Transaction
from ostrya.sysroot import paths
from ostrya.sysroot.loader import finish_loader
from ostrya.sysroot.paths import DeploymentName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

_REFS = "ostree"


@names_sysroot
def clean_up(sysroot: Sysroot, loaded: Loaded, *, prune_repo: bool = True) -> PruneResult | None:
    """Delete what nothing needs: old entries and links, deployments, kernels, and objects.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.
        prune_repo: Whether objects are looked at too.

    Returns:
        What was pruned.

    Raises:
        SysrootError: What is there cannot be known, since ``/boot`` seems not to be mounted.
        BootloaderError: The boot loader cannot be told what it is not told yet.
        OSError: Something cannot be deleted.
    """
    if not loaded.deployments:
        _require_boot(sysroot)
    finish_loader(sysroot, loaded)
    _clean_bootversions(sysroot, loaded)
    _clean_flat_entries(sysroot)
    wanted = {(one.stateroot, one.name) for one in loaded.all}
    for stateroot, name in list(list_deployment_dirs(sysroot)):
        if (stateroot, name) not in wanted:
            delete_deployment(sysroot, stateroot, name)
    for stateroot in _subdirs(sysroot, paths.DEPLOY):
        _clean_temporary(sysroot, paths.deployments_dir(stateroot))
    clean_boot(sysroot, loaded.all)
    for one in loaded.deployments:
        # A link of old, to the deployment that was current.
        unlink_if_exists(f"{paths.stateroot_dir(one.stateroot)}/current", dir_fd=sysroot.dir_fd)
    _write_refs(sysroot, loaded)
    if not prune_repo:
        return None
    also = {one.checksum for one in loaded.all}
    return prune(sysroot.repo, refs_only=True, depth=0, also=also)


def clean_up_after(sysroot: Sysroot, loaded: Loaded, *, prune_repo: bool = True) -> None:
    """Do so once others are booted: it is the last step of that change."""
    clean_up(sysroot, loaded, prune_repo=prune_repo)
    trace(Point.WRITE_CLEANED_UP)


def list_deployment_dirs(
    sysroot: Sysroot, stateroot: str | None = None
) -> Iterator[tuple[str, DeploymentName]]:
    """Yield the stateroot and name of every deployment's directory, booted from or not.

    Args:
        sysroot: Where.
        stateroot: Only those of this one; of all if None.

    Raises:
        SysrootError: A directory among them is no deployment's.
    """
    for one in _subdirs(sysroot, paths.DEPLOY) if stateroot is None else (stateroot,):
        for name in _subdirs(sysroot, paths.deployments_dir(one)):
            found = DeploymentName.parse(name)
            if found is None:
                raise SysrootError(
                    f"Invalid deploy name '{name}', expected CHECKSUM.TREESERIAL",
                    hint=f"nothing else belongs into {paths.deployments_dir(one)}",
                )
            yield one, found


def delete_deployment(sysroot: Sysroot, stateroot: str, name: DeploymentName) -> None:
    """Delete a deployment's directory and what belongs to it; never the running one."""
    path = paths.deployment_dir(stateroot, name)
    fd = open_dir(path, dir_fd=sysroot.dir_fd)
    try:
        found = os.fstat(fd)
        if (found.st_dev, found.st_ino) in (sysroot.running.root, sysroot.running.kept):
            return
        set_immutable(fd, immutable=False)
    finally:
        os.close(fd)
    remove_tree(paths.backing_dir(stateroot, name), dir_fd=sysroot.dir_fd)
    unlink_if_exists(paths.origin_file(stateroot, name), dir_fd=sysroot.dir_fd)
    remove_tree(path, dir_fd=sysroot.dir_fd)


def abandon_deployment(sysroot: Sysroot, stateroot: str, name: DeploymentName) -> None:
    """Delete what there is of a deployment that could not be made, for the room that it takes."""
    # Why it could not is what is told, not this; the next cleanup tries again.
    with suppress(OSError):
        delete_deployment(sysroot, stateroot, name)


def clean_boot(sysroot: Sysroot, deployments: Iterable[Deployment]) -> None:
    """Delete from ``/boot`` kernels and ramdisks that none of these deployments needs.

    And what was being written there when power failed.
    """
    kept = {one.bootcsum for one in deployments}
    initrds = {f"{checksum}.img" for one in deployments for checksum in one.overlay_initrds}
    for name in _subdirs(sysroot, paths.KERNELS):
        bootcsum = name.rpartition("-")[2]
        if "-" in name and is_checksum(bootcsum):
            folder = f"{paths.KERNELS}/{name}"
            if bootcsum in kept:
                _clean_temporary(sysroot, folder, recurse=True)
            else:
                remove_tree(folder, dir_fd=sysroot.dir_fd)
    for name in _names(sysroot, paths.OVERLAY_INITRDS):
        if name not in initrds:
            unlink_if_exists(f"{paths.OVERLAY_INITRDS}/{name}", dir_fd=sysroot.dir_fd)
    for folder in (paths.BOOT, paths.KERNELS, paths.LOADER, paths.FLAT_ENTRIES):
        _clean_temporary(sysroot, folder)


def _clean_temporary(sysroot: Sysroot, folder: str, *, recurse: bool = False) -> None:
    """Delete files that never got their names; the sysroot is locked, so nobody writes them now."""
    for name in _names(sysroot, folder):
        if is_temporary_name(name):
            remove_tree(f"{folder}/{name}", dir_fd=sysroot.dir_fd)
    if recurse:
        for name in _subdirs(sysroot, folder):
            _clean_temporary(sysroot, f"{folder}/{name}", recurse=True)


def _require_boot(sysroot: Sysroot) -> None:
    """See that no boot entries means no deployments, and not that ``/boot`` is not mounted.

    Raises:
        SysrootError: There are links to deployments, and nothing of ours in ``/boot``.
    """
    if {"ostree", "loader", "loader.0", "loader.1"} & set(_names(sysroot, paths.BOOT)):
        return
    if any(_names(sysroot, paths.boot_links(bootversion)) for bootversion in (0, 1)):
        raise SysrootError(
            "There are links to deployments, but nothing in /boot that leads to them",
            hint="is the file system of /boot mounted?",
        )


def _clean_bootversions(sysroot: Sysroot, loaded: Loaded) -> None:
    other = 1 - loaded.bootversion
    unused = [
        paths.loader_dir(other),
        paths.boot_links(other),
        paths.boot_links_dir(other, 0),
        paths.boot_links_dir(other, 1),
        paths.boot_links_dir(loaded.bootversion, 1 - loaded.subbootversion),
        paths.NEW_LOADER,
    ]
    for path in unused:
        remove_tree(path, dir_fd=sysroot.dir_fd)


def _clean_flat_entries(sysroot: Sysroot) -> None:
    """Delete entries that were to be replaced when power failed: others lead to the same."""
    if not sysroot.has_flat_boot:
        return
    kept = set()
    for file in read_entry_files(paths.FLAT_ENTRIES, dir_fd=sysroot.dir_fd):
        link = file.entry.boot_link
        if link in kept:
            os.unlink(f"{paths.FLAT_ENTRIES}/{file.name}", dir_fd=sysroot.dir_fd)
        kept.add(link)


def _write_refs(sysroot: Sysroot, loaded: Loaded) -> None:
    """Keep the commits of deployments from a prune that knows of refs only."""
    wanted = {
        f"{_REFS}/{loaded.bootversion}/{loaded.subbootversion}/{at}": one.checksum
        for at, one in enumerate(loaded.all)
    }
    found = list_refs(sysroot.repo, _REFS)
    changes: dict[str, Checksum | None] = {
        ref: None for ref in found if ref not in wanted and _is_of_deployment(ref)
    }
    changes |= {ref: commit for ref, commit in wanted.items() if found.get(ref) != commit}
    if changes:
        with Transaction(sysroot.repo) as tx:
            for ref, commit in changes.items():
                tx.set_ref(None, ref, commit)
            tx.commit()


def _is_of_deployment(ref: str) -> bool:
    parts = ref.split("/")
    return len(parts) == 4 and all(part.isdigit() for part in parts[1:])


def _subdirs(sysroot: Sysroot, path: str) -> list[str]:
    return [
        name
        for name in _names(sysroot, path)
        if stat.S_ISDIR(
            os.stat(f"{path}/{name}", dir_fd=sysroot.dir_fd, follow_symlinks=False).st_mode
        )
    ]


def _names(sysroot: Sysroot, path: str) -> list[str]:
    try:
        fd = open_dir(path, dir_fd=sysroot.dir_fd, follow=True)
    except FileNotFoundError:
        return []
    try:
        return sorted(list_names(fd))
    finally:
        os.close(fd)
