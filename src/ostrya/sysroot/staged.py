# SPDX-License-Identifier: Apache-2.0
"""The note of a deployment that waits for a shutdown, on the disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import FileTooLargeError, open_dir, read_file, unlink_if_exists
from ostrya.boot.bls import Entry
from ostrya.boot.kargs import join
from ostrya.errors import FormatError
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.errors import StagedInvalid
from ostrya.sysroot.staged_state import StagedState

if TYPE_CHECKING:
    from ostrya.sysroot.sysroot import Running, Sysroot

_NOTE = "staged-deployment"
_LOCK = "staged-deployment-locked"
_MAX_BYTES = 1 << 20
_MAX_REASON_BYTES = 64 * 1024
FAILURE = "boot/ostree/finalize-failure.stamp"
FAILED = "finalize-failure"
NEXT_BOOTED = "nextroot-booted"
_KEY_ROOT = "backing-root-device-inode"


def read_staged(sysroot: Sysroot) -> StagedState | None:
    """Return what is noted; None if nothing is staged, or if the sysroot is not the running one.

    Raises:
        StagedInvalid: It cannot be understood.
    """
    if sysroot.running.root is None:
        return None
    try:
        data = read_file(_path(sysroot, _NOTE), max_bytes=_MAX_BYTES)
    except FileNotFoundError:
        return None
    except FileTooLargeError:
        raise StagedInvalid("The note of the staged deployment is too large") from None
    state = StagedState.decode(data)
    # Until 2023 there was a file for that.
    return state._replace(locked=state.locked or os.path.lexists(_path(sysroot, _LOCK)))


def has_staged_note(running: Running) -> bool:
    """Say whether something is noted, be it what it may."""
    return running.root is not None and os.path.lexists(f"{running.run_dir}/{_NOTE}")


def staged_deployment(state: StagedState) -> Deployment | None:
    """Return the deployment that is noted, without where it came from."""
    target = state.target
    if target is None:
        return None
    fields = dict(state.extra_fields)
    if state.kargs is not None:
        fields["options"] = str(join(state.kargs))
    overlays = tuple(f"/{checksum}.img" for checksum in state.overlay_initrds)
    entry = Entry(fields, overlays) if fields or overlays else None
    return Deployment(
        target.stateroot,
        target.name,
        target.bootcsum,
        entry=entry,
        staged=True,
        locked=state.locked,
    )


def write_staged(sysroot: Sysroot, state: StagedState) -> None:
    """Note a staged deployment; the file that older clients look at says whether it is locked."""
    os.makedirs(sysroot.running.run_dir, mode=0o755, exist_ok=True)
    fd = open_dir(sysroot.running.run_dir, follow=True)
    try:
        if state.locked:
            replace_file(_LOCK, b"", dir_fd=fd, mode=0o640, durable=False)
        # It does not last longer than the running system does.
        replace_file(_NOTE, state.encode(), dir_fd=fd, durable=False)
        if not state.locked:
            unlink_if_exists(_LOCK, dir_fd=fd)
    finally:
        os.close(fd)


def forget_staged(sysroot: Sysroot) -> None:
    """Delete the note: from now on the deployment is one that no boot entry leads to."""
    unlink_if_exists(_path(sysroot, _NOTE))


def forget_lock(sysroot: Sysroot) -> None:
    """Delete the file that older clients look at."""
    unlink_if_exists(_path(sysroot, _LOCK))


def failure_reason(sysroot: Sysroot) -> str | None:
    """Return why the last staged deployment was not finalized; None without such a failure."""
    places = ((FAILURE, sysroot.dir_fd), (_path(sysroot, FAILED), None))
    for path, dir_fd in places:
        try:
            data = read_file(path, dir_fd=dir_fd, max_bytes=_MAX_REASON_BYTES)
        except FileNotFoundError:
            continue
        except FileTooLargeError:
            return "for a reason that is too long to be true"
        return data.decode(errors="replace")
    return None


def next_root(sysroot: Sysroot) -> tuple[int, int] | None:
    """Return device and inode of the root that the next soft reboot goes to; None for none."""
    if sysroot.running.root is None:
        return None
    try:
        data = read_file(_path(sysroot, NEXT_BOOTED), max_bytes=_MAX_BYTES)
        found: tuple[int, int] | None = decode_variant("a{sv}", data).lookup(_KEY_ROOT, "(tt)")
    except (FileNotFoundError, FileTooLargeError, FormatError):
        return None
    return found


def _path(sysroot: Sysroot, name: str) -> str:
    return f"{sysroot.running.run_dir}/{name}"
