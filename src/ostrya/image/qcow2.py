# SPDX-License-Identifier: Apache-2.0
r"""The format of QEMU's qcow2 images: header and tables. Pure.

::

    0    "QFI\xfb"  u32 version  u64 backing file at  u32 its length
    20   u32 cluster bits  u64 size  u32 encryption  u32 entries of the first table
    40   u64 first table at  u64 reference table at  u32 its clusters  u32 snapshots  u64 they at
    72   u64 incompatible  u64 compatible  u64 automatically cleared  u32 bits of a count (log2)
    100  u32 length of the header  u8 compression   (all from 72 on: version 3)

All numbers are big-endian. An entry of the first table says where a second one is, and an entry of
that where a cluster is; bit 63 says that nobody shares it, bit 62 that it is compressed, bit 0 that
it is all zeros.

Source: docs/interop/qcow2.txt in QEMU.
"""

from __future__ import annotations

import struct

from ostrya.image.errors import DiskError
from ostrya.named_tuple import NamedTuple

MAGIC = b"QFI\xfb"
COPIED, COMPRESSED, ZERO = 1 << 63, 1 << 62, 1
OFFSET_MASK = 0x00FFFFFFFFFFFE00
HEADER_BYTES = 112
_HEADER = struct.Struct(">4sIQIIQIIQQIIQQQQII")
_VERSION_2_BYTES = 72
_LEAST_BITS, _MOST_BITS = 9, 21
_EXTERNAL_DATA, _COMPRESSION_TYPE, _EXTENDED = 1 << 2, 1 << 3, 1 << 4
# Whether it was closed well, and whether counts are right, is nothing to a reader.
_HARMLESS = 0b11
_MOST_BYTES = 1 << 46
_ENTRIES_END = struct.pack(">II", 0, 0)


class Header(NamedTuple):
    """What a reader has to know.

    Attributes:
        size_bytes: Of the disk.
        cluster_bits: Of the size of a cluster.
        table_at: Where the first table is.
        table_entries: How many entries it has.
        is_zstd: Whether compressed clusters are packed by zstd.
    """

    size_bytes: int
    cluster_bits: int
    table_at: int
    table_entries: int
    is_zstd: bool = False


def encode_header(header: Header, *, counts_at: int, counts_clusters: int) -> bytes:
    """Return the beginning of an image of version 3, up to its first table.

    Args:
        header: What a reader has to know.
        counts_at: Where the table of reference counts is.
        counts_clusters: How many clusters that has.
    """
    fields = (
        MAGIC, 3, 0, 0, header.cluster_bits, header.size_bytes, 0, header.table_entries,
        header.table_at, counts_at, counts_clusters, 0, 0, 0, 0, 0, 4, HEADER_BYTES,
    )  # fmt: skip
    return _HEADER.pack(*fields).ljust(HEADER_BYTES, b"\0") + _ENTRIES_END


def decode_header(data: bytes) -> Header:
    """Read the beginning of an image.

    Raises:
        DiskError: It is none, is damaged, or needs another file or a key.
    """
    if data[:4] != MAGIC or len(data) < HEADER_BYTES:
        raise DiskError("it is no qcow2 image")
    (
        _, version, backing, _, bits, size, encryption, entries, table_at, _, _, _, _,
        incompatible, _, _, _, length,
    ) = _HEADER.unpack_from(data)  # fmt: skip
    if version not in (2, 3):
        raise DiskError(f"it is a qcow2 image of version {version}, not 2 or 3")
    if version == 2:
        incompatible, length = 0, _VERSION_2_BYTES
    if backing or incompatible & _EXTERNAL_DATA:
        raise DiskError(
            "it is a qcow2 image whose data are in another file",
            hint="qemu-img convert makes one file of both",
        )
    if encryption:
        raise DiskError("it is an encrypted qcow2 image")
    if incompatible & ~(_HARMLESS | _COMPRESSION_TYPE):
        word = "extended entries" if incompatible & _EXTENDED else f"features {incompatible:#x}"
        raise DiskError(f"it is a qcow2 image with {word}")
    cluster = 1 << bits if _LEAST_BITS <= bits <= _MOST_BITS else 0
    if not cluster or size > _MOST_BYTES:
        raise DiskError("the header of the qcow2 image is damaged")
    needed = -(-size // (cluster * (cluster // 8)))
    if entries < needed:
        raise DiskError("the first table of the qcow2 image is too short")
    is_zstd = bool(incompatible & _COMPRESSION_TYPE) and length > 104 and data[104] == 1
    return Header(size, bits, table_at, needed, is_zstd)
