# SPDX-License-Identifier: Apache-2.0
"""Whether a sysroot is that of the running system, and leave to write to it.

What mounts the root at boot leaves a note, ``/run/ostree-booted``. Where the root is a composefs
image, ``/`` is no deployment's directory, and the note says which one is.

Source: ostree-sysroot.c (parse_deployment, remount_writable); otcore.h.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ostrya._linux.dirfd import FileTooLargeError, read_file
from ostrya._linux.mount import enter_own_namespace, remount_writable
from ostrya.errors import FormatError
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.sysroot.sysroot import NOT_RUNNING, Running

BOOTED_MARK = "/run/ostree-booted"
_FINALIZE_SERVICE = "ostree-finalize-staged.service"
_KEY_ROOT = "backing-root-device-inode"
_MAX_MARK_BYTES = 1 << 20
_READ_ONLY_PLACES = ("/sysroot", "/boot")


def find_running(path: str, mark: str = BOOTED_MARK) -> Running:
    """Return what the running system says of itself, if a sysroot is its own.

    Args:
        path: The sysroot's directory.
        mark: The note that is left at boot.
    """
    if not is_booted(mark):
        return NOT_RUNNING
    root, wanted = os.stat("/"), os.stat(path)
    identity = (root.st_dev, root.st_ino)
    running = _noted_root(mark) or identity
    if identity != (wanted.st_dev, wanted.st_ino):
        # It may be the running system's disk all the same, by another path.
        return Running(kept=running)
    return Running(running, finalize_service=_FINALIZE_SERVICE, kept=running)


def is_booted(mark: str = BOOTED_MARK) -> bool:
    """Say whether the running system is a deployment."""
    return os.path.exists(mark)


def make_writable() -> None:
    """Let this process, and no other, write where the running system mounts read-only.

    It is called before anything below is opened.

    Raises:
        OSError: The kernel refuses.
    """
    enter_own_namespace()
    for place in _READ_ONLY_PLACES:
        with suppress(FileNotFoundError):
            remount_writable(place)


def _noted_root(mark: str) -> tuple[int, int] | None:
    """Return the device and inode of the deployment, where the note says so."""
    try:
        data = read_file(mark, max_bytes=_MAX_MARK_BYTES)
        metadata = decode_variant("a{sv}", data, byteorder=sys.byteorder) if data else None
    except (FormatError, FileTooLargeError):
        # Other programs leave such a note too, with nothing to say in it.
        return None
    found: tuple[int, int] | None = None
    if metadata is not None:
        found = metadata.lookup(_KEY_ROOT, "(tt)")
    return found
