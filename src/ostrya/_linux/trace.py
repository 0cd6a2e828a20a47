# SPDX-License-Identifier: Apache-2.0
"""Points that a program says it has reached and waits at, so that power can be cut just there.

::

    ostrya-trace: write.swapped        written, to a file or to a terminal
    (any line)                         read, from a terminal or another device; not from a file

Unless `trace_to` was called, a point costs one look.
"""

from __future__ import annotations

import os
import stat

PREFIX = "ostrya-trace: "
_CHUNK_BYTES = 256


class _Trace:
    """Where points are told: one process has one."""

    fd: int | None = None
    waits = False


def trace_to(path: str) -> None:
    """Tell points from now on; a device is waited for at each of them.

    Args:
        path: A file, which is appended to and made if need be; or a device. Empty for nothing.

    Raises:
        OSError: It cannot be opened.
    """
    if _Trace.fd is not None:
        os.close(_Trace.fd)
        _Trace.fd = None
    if not path:
        return
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOCTTY | os.O_CLOEXEC
    fd = os.open(path, flags, 0o600)
    # From a pipe we would read what we wrote ourselves.
    _Trace.waits = stat.S_ISCHR(os.fstat(fd).st_mode)
    _Trace.fd = fd


def trace(point: str) -> None:
    """Say that a point is reached, and go on once that was read.

    Raises:
        OSError: It cannot be said.
    """
    if _Trace.fd is not None:
        _tell(_Trace.fd, point)


def _tell(fd: int, point: str) -> None:
    os.write(fd, f"{PREFIX}{point}\n".encode())
    if not _Trace.waits:
        return
    while chunk := os.read(fd, _CHUNK_BYTES):
        if b"\n" in chunk:
            return
