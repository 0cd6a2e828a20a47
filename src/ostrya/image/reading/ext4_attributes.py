# SPDX-License-Identifier: Apache-2.0
"""Extended attributes of an ext4: in the inode, and in a block of their own.

::

    entry    u8 length of the name  u8 prefix  u16 value at  u32 inode  u32 size  u32 hash  name
    inode    u32 magic, entries; values are counted from the first entry on
    block    32 bytes of header, entries; values are counted from the block on

Source: the kernel's Documentation/filesystems/ext4/attributes.rst.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.xattrs import Xattrs
    from ostrya.image.reading.ext4_layout import Layout

_MAGIC = 0xEA020000
_ENTRY = struct.Struct("<BBHIII")
_SMALL_INODE = 128
_BLOCK_HEADER = 32
_PREFIXES = {
    1: b"user.", 2: b"system.posix_acl_access", 3: b"system.posix_acl_default", 4: b"trusted.",
    6: b"security.", 7: b"system.", 8: b"system.richacl",
}  # fmt: skip
_ACLS = (2, 3)
_ACL_WITH_ID = (0x02, 0x08)


def read_attributes(layout: Layout, inode: bytes, number: int) -> Xattrs:
    """Return the attributes of an inode, by name.

    Raises:
        DiskError: They are damaged.
    """
    found: list[tuple[bytes, bytes]] = []
    try:
        if len(inode) > _SMALL_INODE + 4:
            at = _SMALL_INODE + struct.unpack_from("<H", inode, _SMALL_INODE)[0]
            if at + 4 <= len(inode) and struct.unpack_from("<I", inode, at)[0] == _MAGIC:
                found += _entries(inode[at + 4 :], 0)
        block = struct.unpack_from("<I", inode, 0x68)[0]
        block |= struct.unpack_from("<H", inode, 0x76)[0] << 32
        if block:
            data = layout.block(block)
            if struct.unpack_from("<I", data)[0] != _MAGIC:
                raise DiskError("they are damaged")
            found += _entries(data, _BLOCK_HEADER)
    except (DiskError, struct.error) as exc:
        raise DiskError(f"the attributes of inode {number} are damaged") from exc
    return tuple(sorted(found))


def _entries(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    # Four zeros end them.
    while at + 4 <= len(data) and data[at : at + 4] != bytes(4):
        name_bytes, prefix, value_at, inode, size, _ = _ENTRY.unpack_from(data, at)
        name = data[at + _ENTRY.size : at + _ENTRY.size + name_bytes]
        if inode or len(name) < name_bytes or value_at + size > len(data):
            raise DiskError("they are damaged")
        value = data[value_at : value_at + size]
        yield _PREFIXES.get(prefix, b"") + name, _acl(value) if prefix in _ACLS else value
        at += (_ENTRY.size + name_bytes + 3) & ~3


def _acl(value: bytes) -> bytes:
    """Return an access control list as programs have it, from the shorter form on the disk."""
    out, at = [struct.pack("<I", 2)], 4
    while at < len(value):
        tag, permissions = struct.unpack_from("<HH", value, at)
        at += 4
        number = 0xFFFFFFFF
        if tag in _ACL_WITH_ID:
            number = struct.unpack_from("<I", value, at)[0]
            at += 4
        out.append(struct.pack("<HHI", tag, permissions, number))
    return b"".join(out)
