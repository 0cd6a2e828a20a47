# SPDX-License-Identifier: Apache-2.0
"""How the C library's allocator treats memory that was freed."""

from __future__ import annotations

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed_memory(max_bytes: int) -> None:
    """Let this process keep what it frees for what it allocates next, up to so many bytes.

    By default glibc hands large pieces back to the kernel, and every page of the next one is
    zeroed and mapped anew: for those who hold one file's content after the other, a sixth of
    their time. Other C libraries are left as they are.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, max_bytes)
        mallopt(_M_TRIM_THRESHOLD, max_bytes)
