# SPDX-License-Identifier: Apache-2.0
"""What is mounted where, as this process sees it.

Source: ``proc_pid_mountinfo(5)``.
"""

from __future__ import annotations

import os
import re

from ostrya._linux.dirfd import read_file
from ostrya.named_tuple import NamedTuple

_PATH = "/proc/self/mountinfo"
_MAX_BYTES = 16 * 1024 * 1024
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted file system.

    Attributes:
        path: Its directory.
        kind: ``ext4``, ``vfat`` …
        device: What is mounted: ``/dev/sda1`` …, or whatever the kind of file system puts there.
    """

    path: str
    kind: str
    device: str


def read_mounts() -> tuple[Mount, ...]:
    """Return the mount table, later mounts after those that they may hide.

    Raises:
        OSError: There is no ``/proc``.
    """
    return parse_mountinfo(read_file(_PATH, max_bytes=_MAX_BYTES))


def parse_mountinfo(data: bytes) -> tuple[Mount, ...]:
    """Parse a mount table; lines that are none are left out."""
    found = []
    for line in data.splitlines():
        place, dash, source = line.partition(b" - ")
        left, right = place.split(b" "), source.split(b" ")
        if dash and len(left) > 4 and len(right) > 1:
            found.append(Mount(_text(left[4]), _text(right[0]), _text(right[1])))
    return tuple(found)


def _text(field: bytes) -> str:
    """Return a field without the escapes of blanks and backslashes."""
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), field))
