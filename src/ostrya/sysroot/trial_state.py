# SPDX-License-Identifier: Apache-2.0
"""The record of a trial, found where the settings say that it lies.

Its file system is mounted for the moment of reading or writing only, where no path leads.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya._linux.detached_mount import open_filesystem
from ostrya._linux.dirfd import open_dir
from ostrya._linux.process import run
from ostrya.boot.trial_store import ClassicEnvironment, GrubFile, UBootFiles
from ostrya.errors import CommandFailed
from ostrya.sysroot.errors import TrialStateMissing
from ostrya.sysroot.rollback_settings import Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.boot.trial_store import TrialStore
    from ostrya.sysroot.sysroot import Sysroot

_TAGS = ("LABEL=", "UUID=", "PARTUUID=", "PARTLABEL=")
_FOLDERS = {tag: f"/dev/disk/by-{tag[:-1].lower()}" for tag in _TAGS}
_FILE_SYSTEM = "vfat"


@contextmanager
def open_store(sysroot: Sysroot, identity: str) -> Iterator[TrialStore | None]:
    """Open the record; None where names of boot entries are all there is.

    Args:
        sysroot: Where.
        identity: The default's.

    Raises:
        TrialStateMissing: The file system that has it is not there.
        OSError: It cannot be opened.
    """
    settings = sysroot.settings.rollback
    if settings.protocol is Protocol.UBOOT_CLASSIC:
        yield ClassicEnvironment(os.path.join(sysroot.path, settings.state), identity)
        return
    if settings.protocol not in (Protocol.UBOOT, Protocol.GRUB):
        yield None
        return
    fd = _open_folder(sysroot, settings.state)
    try:
        yield UBootFiles(fd) if settings.protocol is Protocol.UBOOT else GrubFile(fd)
    finally:
        os.close(fd)


def _open_folder(sysroot: Sysroot, place: str) -> int:
    device = place if place.startswith("/dev/") else _find_device(place)
    if device is None:
        return open_dir(place, dir_fd=sysroot.dir_fd, follow=True)
    return open_filesystem(device, _FILE_SYSTEM)


def _find_device(place: str) -> str | None:
    """Return the device of a tag such as ``LABEL=boot``; None if it is no tag."""
    tag = next((tag for tag in _TAGS if place.startswith(tag)), None)
    if tag is None:
        return None
    link = os.path.join(_FOLDERS[tag], place.removeprefix(tag))
    if os.path.exists(link):
        return os.path.realpath(link)
    # Without udev there are no links.
    try:
        return run(["findfs", place]).strip().decode()
    except (CommandFailed, FileNotFoundError):
        raise TrialStateMissing(place) from None
