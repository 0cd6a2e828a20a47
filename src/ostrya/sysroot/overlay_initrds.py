# SPDX-License-Identifier: Apache-2.0
"""Further ramdisks, on their way to ``/boot``: kept in ``/run/ostree/staged-initrds/CHECKSUM``."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from ostrya._linux.atomic import TmpFile, write_all
from ostrya._linux.dirfd import open_dir, read_chunks, unlink_if_exists

if TYPE_CHECKING:
    from ostrya.sysroot.sysroot import Sysroot

_FOLDER = "staged-initrds"


def overlay_initrd_path(sysroot: Sysroot, checksum: str) -> str:
    """Return where a ramdisk is kept."""
    return f"{sysroot.running.run_dir}/{_FOLDER}/{checksum}"


def keep_overlay_initrd(sysroot: Sysroot, path: str) -> str:
    """Keep a further ramdisk until a deployment takes it to ``/boot``; return its checksum.

    Raises:
        OSError: It cannot be read, or kept.
    """
    folder = f"{sysroot.running.run_dir}/{_FOLDER}"
    os.makedirs(folder, mode=0o755, exist_ok=True)
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        folder_fd = open_dir(folder)
        try:
            with TmpFile(folder_fd, 0o644) as tmp:
                hasher = sha256()
                for chunk in read_chunks(fd):
                    hasher.update(chunk)
                    write_all(tmp.fd, chunk)
                checksum = hasher.hexdigest()
                tmp.replace(checksum, dir_fd=folder_fd)
        finally:
            os.close(folder_fd)
    finally:
        os.close(fd)
    return checksum


def forget_overlay_initrds(sysroot: Sysroot) -> None:
    """Delete the ramdisks that were kept; those that are used are in ``/boot``."""
    folder = f"{sysroot.running.run_dir}/{_FOLDER}"
    with suppress(FileNotFoundError):
        for name in os.listdir(folder):
            unlink_if_exists(os.path.join(folder, name))
