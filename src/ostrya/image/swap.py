# SPDX-License-Identifier: Apache-2.0
"""The first page of a partition for swapping, as ``mkswap`` writes it. Pure.

::

    1024   u32 version 1, u32 number of the last page, u32 bad pages, 16 bytes UUID, 16 bytes label
    4086   SWAPSPACE2

All little-endian; pages of 4096 bytes, as all boards of ours have them.

Source: the kernel's include/linux/swap.h.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ostrya.image.errors import LayoutError

if TYPE_CHECKING:
    from uuid import UUID

PAGE_BYTES = 4096
_LEAST_PAGES = 10
_HEAD = struct.Struct("<III16s16s")
_MAGIC = b"SWAPSPACE2"


def encode_swap(size_bytes: int, label: str, uuid: UUID) -> bytes:
    """Return the page.

    Args:
        size_bytes: Of the partition.
        label: Of at most 15 bytes; what is more is cut off.
        uuid: By which it can be found.

    Raises:
        LayoutError: It is too small.
    """
    pages = size_bytes // PAGE_BYTES
    if pages < _LEAST_PAGES:
        raise LayoutError(f"{size_bytes} bytes are too few to swap to")
    head = _HEAD.pack(1, pages - 1, 0, uuid.bytes, label.encode()[:15])
    page = bytes(1024) + head
    return page.ljust(PAGE_BYTES - len(_MAGIC), b"\0") + _MAGIC
