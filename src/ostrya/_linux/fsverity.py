# SPDX-License-Identifier: Apache-2.0
"""fs-verity: the kernel seals a file, and checks every block that is read from it from then on.

Digests are SHA-256 over blocks of 4096 bytes, without salt, as composefs expects them.

Source: linux/fsverity.h; the kernel's filesystems/fsverity.rst.
"""

from __future__ import annotations

import fcntl
import struct
from errno import EEXIST, ENODATA, ENOTTY, EOPNOTSUPP

_ENABLE = 0x40806685
_MEASURE = 0xC0046686
_SHA256 = 1
_BLOCK_SIZE = 4096
_DIGEST_SIZE = 32
# version, algorithm, block size, no salt, no signature, reserved
_ENABLE_ARGUMENT = struct.pack("<IIII112x", 1, _SHA256, _BLOCK_SIZE, 0)
_MEASURE_HEADER = struct.Struct("=HH")
_CANNOT = frozenset({ENOTTY, EOPNOTSUPP})
_NO_DIGEST = _CANNOT | {ENODATA}


def try_enable(fd: int, *, allow_existing: bool = False) -> bool:
    """Seal a file; False where the file system cannot.

    Args:
        fd: The file, open for reading only; nobody may have it open for writing.
        allow_existing: A file that is sealed already is fine.

    Raises:
        OSError: The file is open for writing (ETXTBSY), or sealed already (EEXIST).
    """
    try:
        fcntl.ioctl(fd, _ENABLE, _ENABLE_ARGUMENT)
    except OSError as exc:
        if exc.errno in _CANNOT:
            return False
        if exc.errno != EEXIST or not allow_existing:
            raise
    return True


def measure(fd: int) -> bytes | None:
    """Return the raw digest of a sealed file; None if it is not sealed, or with another hash."""
    request = bytearray(_MEASURE_HEADER.pack(0, _DIGEST_SIZE) + bytes(_DIGEST_SIZE))
    try:
        fcntl.ioctl(fd, _MEASURE, request)
    except OSError as exc:
        if exc.errno in _NO_DIGEST:
            return None
        raise
    if _MEASURE_HEADER.unpack_from(request) != (_SHA256, _DIGEST_SIZE):
        return None
    return bytes(request[_MEASURE_HEADER.size :])
