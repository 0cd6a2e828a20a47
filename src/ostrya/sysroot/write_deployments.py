# SPDX-License-Identifier: Apache-2.0
"""Which deployments are booted, and in which order: the one step that an update hangs on.

::

    same kernels and arguments          other ones
    ─────────────────────────           ────────────────────────────────────────
    links boot.B.S' made                kernels into /boot, entries into loader.B'
    everything on the disk              links made, boot.B' -> boot.B'.S'
    boot.B -> boot.B.S'   (swap)        the loader's own file into loader.B'
                                        everything on the disk, journal of /boot too
                                        loader -> loader.B'   (swap)

Whenever power fails, ``loader`` leads to entries whose kernels and deployments are whole.

Where there is one directory of entries only (VFAT, systemd-boot), new entries are added first,
greater than all others, the default last of all; and then the old ones are removed.

Source: ostree-sysroot-deploy.c (ostree_sysroot_write_deployments_with_options).
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import open_dir, remove_tree, unlink_if_exists
from ostrya._linux.durability import sync_filesystem
from ostrya._linux.freeze import flush_filesystem, rehearse_rescue
from ostrya._linux.naming import Below, names_sysroot
from ostrya._linux.trace import trace
from ostrya.boot.bootloader import Boot
from ostrya.boot.entry_files import list_entry_files, version_in_name
from ostrya.boot.install import make_dirs
from ostrya.boot.trace_points import Point
from ostrya.errors import OstryaError, SysrootError
from ostrya.sysroot import paths
from ostrya.sysroot.boot_entries import Numbering, commit_version, install_kernels, write_entry
from ostrya.sysroot.boot_links import (
    link_boot_to_itself,
    make_links,
    number_deployments,
    number_new_deployments,
    prepare_loader_swap,
    swap_links,
    swap_loader,
)
from ostrya.sysroot.boot_space import measure_boot_space
from ostrya.sysroot.cleanup import abandon_deployment, clean_boot, clean_up_after, delete_deployment
from ostrya.sysroot.errors import BootSpaceError
from ostrya.sysroot.loader import find_loader, finish_loader, loader_context
from ostrya.sysroot.loading import Loaded, load_sysroot, read_subbootversion
from ostrya.sysroot.staged import forget_lock, forget_staged
from ostrya.sysroot.trial import (
    begin_trial,
    entry_tries,
    identity_of,
    plan_trial,
    with_identities,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bootloader import Bootloader, LoaderContext
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot
    from ostrya.sysroot.trial import TrialPlan

log = logging.getLogger(__name__)


@names_sysroot
def write_deployments(
    sysroot: Sysroot,
    loaded: Loaded,
    deployments: Sequence[Deployment],
    *,
    prune: bool = True,
    early_prune: bool = False,
) -> Loaded:
    """Make these the deployments that can be booted, the first by default.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has now.
        deployments: Their directories are there, with everything in them.
        prune: Whether what nothing needs any more is deleted afterwards.
        early_prune: Whether what goes may go first, where ``/boot`` is too small for both.

    Returns:
        What it has afterwards.

    Raises:
        BootSpaceError: ``/boot`` is too small; nothing was changed.
        SysrootError: The running deployment would go, or one of them is not there.
        BootloaderError: The boot loader cannot be told.
        OSError: Something could not be written; what is booted next is the old or the new.
            Of all these, those that were to be new are deleted, unless they are booted already.
    """
    try:
        after = _write(sysroot, loaded, deployments, early_prune=early_prune)
    except BaseException:
        _abandon_new(sysroot, deployments)
        raise
    if prune and after is not loaded:
        clean_up_after(sysroot, after)
    return after


def _write(
    sysroot: Sysroot, loaded: Loaded, deployments: Sequence[Deployment], *, early_prune: bool
) -> Loaded:
    """Go over to them, and tell; return what there is then, as it was if that is the same."""
    _check(sysroot, loaded, deployments)
    finish_loader(sysroot, loaded)
    loaded = _make_room(sysroot, loaded, deployments, early_prune=early_prune)
    loaded, deployments = _without_staged(sysroot, loaded, deployments)
    if _is_same(loaded.deployments, deployments):
        return loaded
    deployments = with_identities(sysroot, loaded, deployments)
    plan = plan_trial(sysroot, deployments)
    trace(Point.WRITE_BEGUN)
    begin_trial(sysroot, loaded, deployments, plan)
    trace(Point.WRITE_TRIAL_BEGUN)
    before = len(loaded.deployments)
    keeps_config = _boots_same(sysroot, loaded, deployments)
    if keeps_config:
        is_atomic = _write_links(sysroot, loaded, deployments)
    elif sysroot.has_flat_boot:
        known = loaded.deployments
        numbered = number_new_deployments(deployments, known)
        is_atomic = _write_flat(sysroot, loaded, numbered, plan)
    else:
        is_atomic = _write_config(sysroot, loaded, number_deployments(deployments), plan)
    touch_sysroot(sysroot)
    trace(Point.WRITE_DONE)
    loaded = load_sysroot(sysroot)
    sysroot.tell(
        f"{'Transaction complete' if is_atomic else 'Bootloader updated'}; bootconfig swap: "
        f"{'no' if keeps_config else 'yes'}; bootversion: "
        f"boot.{loaded.bootversion}.{loaded.subbootversion}, "
        f"deployment count change: {len(loaded.deployments) - before}"
    )
    return loaded


def _abandon_new(sysroot: Sysroot, deployments: Sequence[Deployment]) -> None:
    """Delete what was to be new, with its kernel, unless what boots next is new already."""
    # Why it could not be is what is told, not this; the next cleanup tries again.
    with suppress(OstryaError, OSError):
        there = load_sysroot(sysroot).all
        new = [one for one in deployments if not any(map(one.is_same, there))]
        for one in new:
            abandon_deployment(sysroot, one.stateroot, one.name)
        if new and there:
            clean_boot(sysroot, there)


def touch_sysroot(sysroot: Sysroot) -> None:
    """Let whoever watches ``ostree/deploy`` know that something has changed."""
    os.utime(paths.DEPLOY, dir_fd=sysroot.dir_fd)


def _without_staged(
    sysroot: Sysroot, loaded: Loaded, deployments: Sequence[Deployment]
) -> tuple[Loaded, Sequence[Deployment]]:
    """Give a staged deployment up unless it stays first; boot entries know nothing of it."""
    staged = loaded.staged
    booted = [one for one in deployments if not one.staged]
    if staged is None:
        return loaded, booted
    if not (deployments and deployments[0].staged):
        forget_staged(sysroot)
        delete_deployment(sysroot, staged.stateroot, staged.name)
        forget_lock(sysroot)
        loaded = loaded._replace(staged=None)
        touch_sysroot(sysroot)
    return loaded, booted


def _check(sysroot: Sysroot, loaded: Loaded, deployments: Sequence[Deployment]) -> None:
    for deployment in deployments:
        try:
            os.stat(deployment.path, dir_fd=sysroot.dir_fd, follow_symlinks=False)
        except FileNotFoundError:
            raise SysrootError(
                f"Unable to find expected deployment root: {sysroot.path}/{deployment.path}"
            ) from None
    booted = loaded.booted
    if booted is not None and not any(one.is_same(booted) for one in deployments):
        raise SysrootError("Attempting to remove booted deployment")


def _make_room(
    sysroot: Sysroot, loaded: Loaded, deployments: Sequence[Deployment], *, early_prune: bool
) -> Loaded:
    """See that ``/boot`` has room, perhaps by letting go first of what is going anyway."""
    if not sysroot.has_own_boot:
        return loaded
    # The kernel of one that was staged is there already.
    clean_boot(sysroot, [*loaded.deployments, *deployments])
    space = measure_boot_space(sysroot, loaded.deployments, deployments)
    if space.fits:
        return loaded
    # Which of them stay is decided by their kernels: those are what takes room.
    wanted = {one.bootcsum for one in deployments}
    common = [one for one in loaded.deployments if one.bootcsum in wanted]
    if not space.fits_after or len(common) == len(loaded.deployments):
        raise BootSpaceError(space.needed_bytes, "make room there, or undeploy what is not needed")
    if not may_prune_early(sysroot, asked=early_prune) or not common:
        raise BootSpaceError(
            space.needed_bytes,
            "it would fit without the deployments that are going: --early-prune lets go of them "
            "first, so that for a moment there is nothing to fall back to",
        )
    log.info("letting go of deployments first needed_bytes=%d", space.needed_bytes)
    # The staged one stays what it is until all of this is done.
    staged = () if loaded.staged is None else (loaded.staged,)
    loaded = write_deployments(sysroot, loaded, [*staged, *common], prune=False)
    clean_boot(sysroot, [*loaded.deployments, *deployments])
    return loaded


def may_prune_early(sysroot: Sysroot, *, asked: bool) -> bool:
    """Say whether what goes may go before what comes is there."""
    allowed = sysroot.options.early_prune
    return asked or (sysroot.settings.early_prune if allowed is None else allowed)


def _is_same(old: Sequence[Deployment], new: Sequence[Deployment]) -> bool:
    return len(old) == len(new) and all(
        one.is_same(other) and one.entry == other.entry for one, other in zip(old, new, strict=True)
    )


def _boots_same(sysroot: Sysroot, loaded: Loaded, deployments: Sequence[Deployment]) -> bool:
    """Say whether the boot loader may go on with what it has."""
    if len(loaded.deployments) != len(deployments):
        return False
    return all(
        old.stateroot == new.stateroot
        and old.bootcsum == new.bootcsum
        and old.overlay_initrds == new.overlay_initrds
        and old.kargs == new.kargs
        # A loader file that says what is on trial has to be written anew for another one.
        and identity_of(old) == identity_of(new)
        and _version(sysroot, old) == _version(sysroot, new)
        for old, new in zip(loaded.deployments, deployments, strict=True)
    )


def _version(sysroot: Sysroot, deployment: Deployment) -> str:
    return commit_version(sysroot.repo, deployment.checksum)


def _write_links(sysroot: Sysroot, loaded: Loaded, deployments: Sequence[Deployment]) -> bool:
    subbootversion = 1 - loaded.subbootversion
    # Each goes where the entry of the one in its place leads.
    numbered = [
        new._replace(bootserial=old.bootserial)
        for old, new in zip(loaded.deployments, deployments, strict=True)
    ]
    make_links(sysroot.dir_fd, loaded.bootversion, subbootversion, numbered)
    trace(Point.WRITE_LINKS_MADE)
    _sync(sysroot)
    trace(Point.WRITE_SYNCED)
    swap_links(sysroot.dir_fd, loaded.bootversion, subbootversion)
    trace(Point.WRITE_LINKS_SWAPPED)
    _sync(sysroot)
    trace(Point.WRITE_FLUSHED)
    return True


def _write_config(
    sysroot: Sysroot,
    loaded: Loaded,
    deployments: Sequence[Deployment],
    plan: TrialPlan | None,
) -> bool:
    bootversion = 1 - loaded.bootversion
    entries = paths.entries_dir(bootversion)
    remove_tree(entries, dir_fd=sysroot.dir_fd)
    make_dirs(entries, dir_fd=sysroot.dir_fd)
    numbering = Numbering(bootversion, tries=entry_tries(sysroot, plan))
    written = [
        write_entry(sysroot, deployments, at, numbering, entries) for at in range(len(deployments))
    ]
    trace(Point.WRITE_ENTRIES_WRITTEN)
    subbootversion = 1 - read_subbootversion(sysroot, bootversion)
    make_links(sysroot.dir_fd, bootversion, subbootversion, deployments)
    trace(Point.WRITE_LINKS_MADE)
    swap_links(sysroot.dir_fd, bootversion, subbootversion)
    trace(Point.WRITE_LINKS_SWAPPED)
    context = loader_context(sysroot, loaded, None if plan is None else plan.trial)
    loader = find_loader(sysroot, context)
    if loader is not None:
        loader.write_config(context, bootversion, _boots(written, plan))
    trace(Point.WRITE_LOADER_FILE_WRITTEN)
    link_boot_to_itself(sysroot.dir_fd)
    prepare_loader_swap(sysroot.dir_fd, bootversion)
    _sync(sysroot)
    trace(Point.WRITE_SYNCED)
    swap_loader(sysroot.dir_fd)
    trace(Point.WRITE_SWAPPED)
    _flush_boot(sysroot)
    unlink_if_exists(paths.NEW_LOADER, dir_fd=sysroot.dir_fd)
    trace(Point.WRITE_FLUSHED)
    return _after_swap(loader, context, bootversion)


def _write_flat(
    sysroot: Sysroot,
    loaded: Loaded,
    deployments: Sequence[Deployment],
    plan: TrialPlan | None,
) -> bool:
    make_dirs(paths.FLAT_ENTRIES, dir_fd=sysroot.dir_fd)
    folder_fd = open_dir(paths.FLAT_ENTRIES, dir_fd=sysroot.dir_fd, follow=True)
    try:
        old = {name: version_in_name(name) for name in list_entry_files(folder_fd)}
        # Both the old entries and the new ones have somewhere to lead as long as both are there.
        subbootversion = 1 - loaded.subbootversion
        going = [one for one in loaded.deployments if not any(map(one.is_same, deployments))]
        make_links(sysroot.dir_fd, loaded.bootversion, subbootversion, [*deployments, *going])
        # What an entry names is whole before there is an entry.
        install_kernels(sysroot, deployments)
        trace(Point.WRITE_LINKS_MADE)
        _sync(sysroot)
        swap_links(sysroot.dir_fd, loaded.bootversion, subbootversion)
        trace(Point.WRITE_LINKS_SWAPPED)
        _sync(sysroot)
        base = max(old.values(), default=0)
        numbering = Numbering(loaded.bootversion, base, entry_tries(sysroot, plan))
        # The default comes last: with it, all of the new order counts at once.
        written = [
            write_entry(sysroot, deployments, at, numbering, paths.FLAT_ENTRIES)
            for at in reversed(range(len(deployments)))
        ]
        written.reverse()
        trace(Point.WRITE_ENTRIES_WRITTEN)
        # What a loader's own file names is whole before that file is.
        _sync(sysroot)
        trace(Point.WRITE_SYNCED)
        context = loader_context(sysroot, loaded, None if plan is None else plan.trial)
        loader = find_loader(sysroot, context)
        if loader is not None:
            loader.write_config(context, loaded.bootversion, _boots(written, plan))
            _sync(sysroot)
        trace(Point.WRITE_LOADER_FILE_WRITTEN)
        for name in sorted(old, key=lambda name: old[name]):
            os.unlink(name, dir_fd=folder_fd)
    finally:
        os.close(folder_fd)
    trace(Point.WRITE_SWAPPED)
    _flush_boot(sysroot)
    trace(Point.WRITE_FLUSHED)
    return _after_swap(loader, context, loaded.bootversion)


def _boots(deployments: Sequence[Deployment], plan: TrialPlan | None) -> list[Boot]:
    """Return what a loader is told; with automatic rollback, the fallback is the second."""
    order = range(len(deployments)) if plan is None else plan.order(len(deployments))
    ordered = [deployments[at] for at in order]
    return [Boot(one.entry, one.path) for one in ordered if one.entry is not None]


def _after_swap(loader: Bootloader | None, context: LoaderContext, bootversion: int) -> bool:
    """Let the loader do what is left; say whether it went over in one step."""
    if loader is None:
        return False
    loader.after_swap(context, bootversion)
    trace(Point.WRITE_AFTER_SWAP)
    return loader.is_atomic


def _sync(sysroot: Sysroot) -> None:
    """Put everything on the disk, of the sysroot's file system and of ``/boot``'s."""
    if sysroot.options.skip_sync:
        return
    # The repository's: the root itself may be an overlay, of which nothing is synced.
    sync_filesystem(sysroot.repo.dir_fd)
    if sysroot.options.test_freeze:
        rehearse_rescue(sysroot.boot_fd)
        raise SysrootError(
            "During fsfreeze-thaw: aborting due to test-fifreeze; the fifreeze watchdog was run"
        )
    _flush_boot(sysroot)


def _flush_boot(sysroot: Sysroot) -> None:
    if not sysroot.options.skip_sync:
        with Below(os.path.join(sysroot.path, paths.BOOT)):
            flush_filesystem(sysroot.boot_fd)
