# SPDX-License-Identifier: Apache-2.0
"""What of a root file system is taken in, from wherever."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError
from ostrya.tree.archive_import import ArchiveExtent

if TYPE_CHECKING:
    from ostrya.tree.modifier import FileInfo

# What is in them is the running system's.
_FILLED = ("/dev/", "/proc/", "/run/", "/sys/", "/tmp/")  # noqa: S108  # in the tree
# A system could not open what is longer, and deeper trees are nobody's root file system.
_MAX_PATH_BYTES = 4096
_MAX_DEPTH = 200
# File systems of images tell no later times.
_LATEST = (1 << 32) - 1
DEFAULT_LIMITS = ArchiveExtent(size_bytes=64 << 30, entries=4_000_000)


def is_filled(path: str) -> bool:
    """Say whether what is there is the running system's."""
    return path.startswith(_FILLED)


class Keeping:
    """Decides of each path, and remembers what was left out.

    Attributes:
        left_out: Device nodes, sockets and pipes, but for those in places that the kernel fills.
        newest: When the last of all was changed, in seconds since 1970 UTC.
    """

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self.newest = 0

    def see_time(self, moment: int) -> None:
        """Note when something was changed."""
        self.newest = max(self.newest, min(moment, _LATEST))

    def __call__(self, name: str, info: FileInfo) -> FileInfo | None:
        """Return what is taken in of a path, None for nothing.

        Raises:
            SourceError: No system could have it.
        """
        if name.count("/") > _MAX_DEPTH or len(name) > _MAX_PATH_BYTES:
            raise SourceError(f"a path is too long, or too deep: {name[:60]}…")
        if is_filled(name):
            return None
        if stat.S_IFMT(info.mode) in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK):
            return info
        self.left_out.append(name)
        return None
