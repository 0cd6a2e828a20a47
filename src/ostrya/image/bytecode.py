# SPDX-License-Identifier: Apache-2.0
"""Compiled Python that stays valid in a deployment. Pure.

The header of a ``.pyc`` usually has the time and size of its source; where they differ, Python
compiles anew, at every start where ``/usr`` is read-only. In a deployment every file is of 1970. A
header can also say that the source need not be looked at::

    4 bytes  which Python            stays
    u32      0: by time; 1: never    becomes 1
    8 bytes  time and size, or hash  zeros: nobody looks at it

Source: PEP 552.
"""

from __future__ import annotations

HEADER_BYTES = 16
MAX_BYTES = 16 << 20
SUFFIX = ".pyc"
_BY_TIME = bytes(4)
_NEVER = b"\x01\0\0\0"
_END_OF_MAGIC = b"\r\n"


def unbind(data: bytes) -> bytes | None:
    """Return compiled Python that does not ask for its source; None if it need not be changed."""
    is_python = len(data) > HEADER_BYTES and data[2:4] == _END_OF_MAGIC
    if not is_python or data[4:8] != _BY_TIME:
        return None
    return data[:4] + _NEVER + bytes(8) + data[HEADER_BYTES:]
