# SPDX-License-Identifier: Apache-2.0
"""Deployments that are finished at shutdown: laid out, rehearsed, noted; then merged and booted.

Everything that can fail is done, or tried, while the system runs: kernels go to ``/boot``, and what
was changed in ``/etc`` is merged into a copy of the new defaults, which is thrown away. What is
left for the shutdown is to merge what was changed since, and one swap.

Should that fail after all, ``boot/ostree/finalize-failure.stamp`` says why, the old system boots,
and its ``status`` tells.

Source: ostree-sysroot-deploy.c (ostree_sysroot_stage_tree_with_options,
_ostree_sysroot_finalize_staged).
"""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.copying import copy_entry
from ostrya._linux.dirfd import (
    exists,
    open_dir,
    open_dir_below,
    remove_tree,
    unlink_if_exists,
)
from ostrya._linux.naming import Below, names_sysroot
from ostrya._linux.process import run
from ostrya._linux.trace import trace
from ostrya.boot.install import make_dirs
from ostrya.boot.trace_points import Point
from ostrya.errors import OstryaError, SysrootError
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.sysroot import paths
from ostrya.sysroot.boot_entries import install_deployment_kernel, install_overlays
from ostrya.sysroot.boot_space import measure_boot_space, require_boot_space
from ostrya.sysroot.cleanup import (
    abandon_deployment,
    clean_boot,
    clean_up,
    clean_up_after,
    delete_deployment,
)
from ostrya.sysroot.deploy import (
    DeployWish,
    finish_deployment,
    prepare_deployment,
    write_origin,
)
from ostrya.sysroot.errors import NotBooted
from ostrya.sysroot.etc_merge import merge_etc
from ostrya.sysroot.loading import Loaded, load_sysroot
from ostrya.sysroot.order import Retain, with_new_deployment
from ostrya.sysroot.overlay_initrds import forget_overlay_initrds
from ostrya.sysroot.staged import (
    FAILED,
    FAILURE,
    NEXT_BOOTED,
    failure_reason,
    forget_staged,
    has_staged_note,
    read_staged,
    write_staged,
)
from ostrya.sysroot.staged_state import DeploymentNote, StagedState
from ostrya.sysroot.write_deployments import touch_sysroot, write_deployments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Running, Sysroot

log = logging.getLogger(__name__)

_REHEARSAL = "etc-rehearsal"


@names_sysroot
def stage_deployment(  # options by keyword
    sysroot: Sysroot,
    loaded: Loaded,
    wish: DeployWish,
    merge: Deployment | None,
    *,
    locked: bool = False,
    progress: ProgressSink = NULL_PROGRESS,
) -> Loaded:
    """Make a deployment that is booted after the next shutdown, in place of one staged before.

    Args:
        sysroot: Where; it is locked, and the running system's.
        loaded: What it has.
        wish: What is to be deployed.
        merge: The deployment whose ``/etc`` and kernel arguments are taken along; None for none.
        locked: Whether it waits longer, until it is let go.
        progress: Told about files.

    Returns:
        What there is then.

    Raises:
        NotBooted: No deployment is running.
        BootSpaceError: ``/boot`` has no room for its kernel.
        EtcConflict: A change in ``/etc`` has no place in the new tree.
        SysrootError: There is no such system.
        KernelArgumentError: No boot entry can hold the arguments.
        CommandFailed: Nothing would finalize it at shutdown.
        OSError: Something could not be written. Of all these nothing is left.
    """
    require_running(loaded)
    if sysroot.running.finalize_service:
        run(["systemctl", "start", "--quiet", sysroot.running.finalize_service])
    deployment = prepare_deployment(sysroot, wish, progress=progress)
    try:
        write_origin(sysroot, deployment)
        _rehearse(sysroot, loaded, deployment, merge)
    except BaseException:
        abandon_deployment(sysroot, deployment.stateroot, deployment.name)
        raise
    trace(Point.STAGE_REHEARSED)
    extra = {} if merge is None or merge.entry is None else merge.entry.extra_fields
    write_staged(
        sysroot,
        StagedState(
            _note(deployment),
            None if merge is None else _note(merge),
            None if wish.kargs is None else tuple(map(str, wish.kargs)),
            wish.overlay_initrds,
            tuple((key, value) for key, value in extra.items() if key.startswith("x-")),
            locked=locked,
        ),
    )
    trace(Point.STAGE_NOTED)
    if loaded.staged is not None:
        delete_deployment(sysroot, loaded.staged.stateroot, loaded.staged.name)
    touch_sysroot(sysroot)
    loaded = load_sysroot(sysroot)
    clean_up(sysroot, loaded, prune_repo=False)
    trace(Point.STAGE_DONE)
    return loaded


def require_running(loaded: Loaded) -> None:
    """See that there is a shutdown to come that a staged deployment can be finished at.

    Raises:
        NotBooted: No deployment is running.
    """
    if loaded.booted is None:
        raise NotBooted("Cannot stage deployment: Not currently booted into an OSTree system")


def _note(deployment: Deployment) -> DeploymentNote:
    return DeploymentNote(deployment.stateroot, deployment.name, deployment.bootcsum)


def _rehearse(
    sysroot: Sysroot, loaded: Loaded, deployment: Deployment, merge: Deployment | None
) -> None:
    """Do, or try, all that can fail."""
    if merge is not None:
        _rehearse_merge(sysroot, deployment, merge)
    after = with_new_deployment(loaded.deployments, deployment, merge)
    # What power failures left behind takes room.
    clean_boot(sysroot, [*loaded.all, deployment])
    if not measure_boot_space(sysroot, loaded.deployments, after).fits:
        # The kernel of one staged before: should this fail, it is copied again at shutdown.
        clean_boot(sysroot, [*loaded.deployments, deployment])
    require_boot_space(sysroot, loaded.deployments, after)
    install_deployment_kernel(sysroot, deployment)
    install_overlays(sysroot, deployment)


def _rehearse_merge(sysroot: Sysroot, deployment: Deployment, merge: Deployment) -> None:
    """Merge into a copy of the new defaults, on the same disk, and throw that away."""
    folder = f"{paths.backing_dir(deployment.stateroot, deployment.name)}/{_REHEARSAL}"
    make_dirs(folder, dir_fd=sysroot.dir_fd, mode=0o700)
    try:
        with ExitStack() as stack, Below(os.path.join(sysroot.path, folder, "etc")):
            tree_fd, old_fd, folder_fd = (
                open_dir(path, dir_fd=sysroot.dir_fd, follow=True)
                for path in (deployment.path, merge.path, folder)
            )
            for fd in (tree_fd, old_fd, folder_fd):
                stack.callback(os.close, fd)
            needed = (("etc", tree_fd), ("etc", old_fd), ("usr/etc", old_fd))
            if not all(exists(path, dir_fd=fd) for path, fd in needed):
                return
            with_xattrs = sysroot.options.with_xattrs
            copy_entry("etc", source_fd=tree_fd, target_fd=folder_fd, with_xattrs=with_xattrs)
            fds = []
            for path, fd in (("usr/etc", old_fd), ("etc", old_fd), ("etc", folder_fd)):
                fds.append(open_dir_below(fd, path))
                stack.callback(os.close, fds[-1])
            merge_etc(*fds, with_xattrs=with_xattrs)
    finally:
        remove_tree(folder, dir_fd=sysroot.dir_fd)


def set_finalization_locked(sysroot: Sysroot, *, locked: bool) -> bool:
    """Let a staged deployment wait longer, or for the next shutdown; say whether that is new.

    Raises:
        SysrootError: Nothing is staged.
    """
    state = read_staged(sysroot)
    if state is None or state.target is None:
        raise SysrootError("No staged deployment")
    if state.locked == locked:
        return False
    write_staged(sysroot, state._replace(locked=locked))
    return True


def finalize_staged(sysroot: Sysroot, loaded: Loaded) -> Loaded:
    """Make the staged deployment the one that is booted next; done while the system shuts down.

    Returns:
        What there is then; the same as before if nothing is staged, or if it is locked.

    Raises:
        OstryaError: It could not be; the reason is kept for the next boot.
        OSError: Likewise; and so if it is stopped.
    """
    try:
        after = _finalize(sysroot, loaded)
    except BaseException as exc:
        _give_up(sysroot, loaded)
        try:
            _keep_reason(sysroot.dir_fd, _sentence(exc))
        except OSError as other:
            log.warning("the next boot will not know why error=%s", other)
        raise
    remove_tree(FAILURE, dir_fd=sysroot.dir_fd)
    return after


def _give_up(sysroot: Sysroot, loaded: Loaded) -> None:
    """Delete what could not be finalized: the reason, too, takes room."""
    staged = loaded.staged
    with suppress(OstryaError, OSError):
        if staged is not None and not any(map(staged.is_same, load_sysroot(sysroot).all)):
            abandon_deployment(sysroot, staged.stateroot, staged.name)


def _sentence(exc: BaseException) -> str:
    if not isinstance(exc, (OstryaError, OSError)):
        return f"it was interrupted: {type(exc).__name__}"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror if exc.filename is None else f"{exc.filename}: {exc.strerror}"
    return str(exc)


@names_sysroot
def _finalize(sysroot: Sysroot, loaded: Loaded) -> Loaded:
    state, staged = read_staged(sysroot), loaded.staged
    if state is None or staged is None or staged.locked:
        return loaded
    merge = _find_merge(loaded, state)
    trace(Point.FINALIZE_BEGUN)
    # Should we be stopped halfway, a merge begun twice would be neither the one nor the other.
    forget_staged(sysroot)
    trace(Point.FINALIZE_FORGOTTEN)
    deployment = finish_deployment(sysroot, loaded, staged, merge)._replace(staged=False)
    trace(Point.FINALIZE_MERGED)
    rest = loaded._replace(staged=None)
    after = write_deployments(
        sysroot,
        rest,
        with_new_deployment(rest.deployments, deployment, merge, Retain()),
        prune=False,
    )
    trace(Point.FINALIZE_WRITTEN)
    clean_up_after(sysroot, after, prune_repo=False)
    forget_overlay_initrds(sysroot)
    trace(Point.FINALIZE_DONE)
    return after


def _find_merge(loaded: Loaded, state: StagedState) -> Deployment | None:
    if state.merge is None:
        return None
    wanted = state.merge
    for one in loaded.deployments:
        if (one.stateroot, one.name) == (wanted.stateroot, wanted.name):
            return one
    raise SysrootError(f"Failed to find merge deployment {wanted.name} for staged")


@contextmanager
def noting_failure(path: str, running: Running) -> Iterator[None]:
    """Keep the reason for the next boot if a sysroot cannot even be opened to finalize in it.

    Args:
        path: Its directory.
        running: What the running system says.
    """
    try:
        yield
    except BaseException as exc:
        # What was begun has no note any more, and has kept its own reason.
        if has_staged_note(running):
            try:
                dir_fd = open_dir(path, follow=True)
                try:
                    _keep_reason(dir_fd, _sentence(exc))
                finally:
                    os.close(dir_fd)
            except OSError as other:
                log.warning("the next boot will not know why error=%s", other)
        raise


def _keep_reason(dir_fd: int, reason: str) -> None:
    make_dirs(paths.KERNELS, dir_fd=dir_fd, mode=0o775)
    replace_file(FAILURE, reason.encode(errors="replace"), dir_fd=dir_fd)


def complete_boot(sysroot: Sysroot) -> None:
    """Note what the last shutdown left behind; done once the system has booted.

    Raises:
        SysrootError: The staged deployment could not be finalized; why.
    """
    with suppress(FileNotFoundError):
        # After a soft reboot, this is what runs.
        run_dir = sysroot.running.run_dir
        os.rename(f"{run_dir}/{NEXT_BOOTED}", f"{run_dir}-booted")
    reason = failure_reason(sysroot) if exists(FAILURE, dir_fd=sysroot.dir_fd) else None
    if reason is None:
        return
    # For `status`, until the next boot; on the disk it would be told for ever.
    os.makedirs(sysroot.running.run_dir, mode=0o755, exist_ok=True)
    run_fd = os.open(sysroot.running.run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        replace_file(FAILED, reason.encode(), dir_fd=run_fd, durable=False)
    finally:
        os.close(run_fd)
    unlink_if_exists(FAILURE, dir_fd=sysroot.dir_fd)
    raise SysrootError(f"ostree-finalize-staged.service failed on previous boot: {reason}")
