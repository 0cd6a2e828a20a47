# SPDX-License-Identifier: Apache-2.0
"""Errors that say where the room of a disk came to its end; the kernel's say only that it did."""

from __future__ import annotations

import os
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from typing import TYPE_CHECKING

from ostrya.image.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_ROOM = frozenset({ENOSPC, EDQUOT, EFBIG})


@contextmanager
def room_for(path: str, hint: str) -> Iterator[None]:
    """Tell of a file or folder that something was to be written to, if there is no room for it.

    Args:
        path: What is written.
        hint: What to do about it.

    Raises:
        OutputError: There was no room.
    """
    try:
        yield
    except OSError as exc:
        if exc.errno not in _NO_ROOM:
            raise
        found = os.statvfs(os.path.dirname(os.path.abspath(path)))
        free_mb = found.f_bavail * found.f_frsize // 1_000_000
        raise OutputError(
            f"there is no room for {path}: {exc.strerror}, {free_mb} MB are free", hint=hint
        ) from exc
