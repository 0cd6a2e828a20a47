# SPDX-License-Identifier: Apache-2.0
"""Take the room of a file system, but for so many blocks."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ostrya._linux.durability import sync_filesystem

FILLER = "filler"


def sync(disk: Path) -> None:
    """Put everything of a file system on its disk."""
    fd = os.open(disk, os.O_RDONLY)
    try:
        sync_filesystem(fd)
    finally:
        os.close(fd)


def free_blocks(disk: Path) -> int:
    """How many blocks are free."""
    sync(disk)
    return os.statvfs(disk).f_bfree


def fill(disk: Path, blocks_left: int) -> None:
    """Take everything there is, then give so many blocks back."""
    block = os.statvfs(disk).f_frsize
    size = 0
    with (disk / FILLER).open("wb") as stream:
        for step in (1024 * block, 32 * block, block):
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(stream.fileno(), size, step)
                    size += step
        stream.truncate(max(0, size - blocks_left * block))
    sync(disk)  # freed blocks can be had again once the journal has them


def make_room(disk: Path) -> None:
    """Give all of it back."""
    (disk / FILLER).unlink(missing_ok=True)
    sync(disk)
