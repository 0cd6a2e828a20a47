# SPDX-License-Identifier: Apache-2.0
"""The free space that a repository is told to leave on its disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.repo.errors import LowSpace

if TYPE_CHECKING:
    from ostrya.repo.repository import Repository

# While there is this much room, it is asked for only once in so many bytes and files.
_AMPLE_BYTES = 1 << 30
_UNASKED_BYTES = 16 << 20
_FILE_BYTES = 64 * 1024
_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")


class FreeSpace:
    """Watches the disk that objects are written to.

    The disk is asked anew for every object, so that what others write counts as well; where there
    is ample room, now and then.
    """

    __slots__ = ("_fd", "_privileged", "_repo", "_reserved_bytes", "_unasked_bytes")

    def __init__(self, repo: Repository, fd: int) -> None:
        self._repo = repo
        self._fd = fd
        self._reserved_bytes = min_free_bytes(repo)
        self._privileged = os.geteuid() == 0
        self._unasked_bytes = 0

    def require(self, size: int) -> None:
        """Refuse to write ``size`` bytes if that would leave too little.

        Raises:
            LowSpace: It would.
        """
        if not self._reserved_bytes:
            return
        self._unasked_bytes -= size + _FILE_BYTES
        if self._unasked_bytes >= 0:
            return
        found = os.fstatvfs(self._fd)
        blocks = found.f_bfree if self._privileged else found.f_bavail
        room = blocks * found.f_frsize - self._reserved_bytes
        if room < size:
            raise self._refusal(size)
        self._unasked_bytes = _UNASKED_BYTES if room - size > _AMPLE_BYTES else 0

    def _refusal(self, size: int) -> LowSpace:
        config = self._repo.config
        limit = (
            f"min-free-space-size {config.min_free_mb}MB"
            if config.min_free_mb
            else f"min-free-space-percent '{config.min_free_percent}%'"
        )
        return LowSpace(
            f"{limit} would be exceeded, at least {format_size(size)} requested",
            hint=f"free some space on the disk of {self._repo.path}, or prune the repository",
        )


def min_free_bytes(repo: Repository) -> int:
    """Return how much free space the configuration wants left on the repository's disk."""
    config = repo.config
    if config.min_free_mb:
        return config.min_free_mb << 20
    if not config.min_free_percent:
        return 0
    found = os.fstatvfs(repo.dir_fd)
    return found.f_frsize * found.f_blocks * config.min_free_percent // 100


def format_size(size_bytes: int) -> str:
    """Return a size in powers of ten, as GLib's ``g_format_size`` writes it: ``1.2 kB``.

    A no-break space stands before a unit, an ordinary one before ``bytes``.
    """
    if size_bytes < 1000:
        return f"{size_bytes} {'byte' if size_bytes == 1 else 'bytes'}"
    power = 0
    while power < len(_UNITS) - 1 and size_bytes >= 1000 ** (power + 2):
        power += 1
    return f"{size_bytes / 1000 ** (power + 1):.1f}\N{NO-BREAK SPACE}{_UNITS[power]}"
