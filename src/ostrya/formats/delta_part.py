# SPDX-License-Identifier: Apache-2.0
"""Part: tables of owners and attributes, data, and what to do with them.

A part's file is a byte that tells its compression, then the payload::

    00 payload            as it is
    78 payload ('x')      as an xz stream

The payload, GVariant ``(a(uuu)aa(ayay)ayay)``, alignment 4::

    a(uuu)       owners and modes that files share: uid, gid, mode, big-endian
    aa(ayay)     sets of extended attributes that files share, see xattrs
    ay           data: contents, patches, metadata objects, checksums
    ay           operations, see delta_operations
    3 ends       of the data, the xattrs and the modes, 1, 2, 4 or 8 bytes each

Limits: an xz stream that needs more than 100 MiB to be inflated is refused, as by libostree from
2026.3 on; and one that inflates to more than a patch of all that the part makes could ever take.

Source: ostree-repo-static-delta-private.h (OSTREE_STATIC_DELTA_PART_PAYLOAD_FORMAT_V0),
ostree-repo-static-delta-core.c (_ostree_static_delta_part_open).
"""

from __future__ import annotations

from struct import error as struct_error
from struct import iter_unpack, pack
from typing import TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.encode import encode_variant, pack_offsets
from ostrya.formats.gvariant.split import member_places, split_array, tuple_tail_size
from ostrya.formats.xattrs import decode_xattrs, encode_xattrs
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.formats.delta_superblock import PartHeader
    from ostrya.formats.xattrs import Xattrs

PART_TYPE = "(a(uuu)aa(ayay)ayay)"
COMPRESSION_NONE = 0
COMPRESSION_XZ = ord("x")
MAX_DECODER_BYTES = 100 << 20
TAIL_BYTES = tuple_tail_size(PART_TYPE)

_MODE_BYTES = 12
# A patch holds every byte of what it makes, and 24 for each of its steps, which are eight bytes
# long or longer; beside it there are tables and operations.
_PAYLOAD_FACTOR = 4
_PAYLOAD_SLACK_BYTES = 16 << 20


class FileMode(NamedTuple):
    """The owner and mode of files, file type bits included."""

    uid: int
    gid: int
    mode: int


class PartPlaces(NamedTuple):
    """Where in a payload its members begin and end."""

    modes: tuple[int, int]
    xattrs: tuple[int, int]
    data: tuple[int, int]
    operations: tuple[int, int]


def part_places(size: int, tail: bytes) -> PartPlaces:
    """Find the members of a payload.

    Args:
        size: Of the payload, in bytes.
        tail: Its last bytes, ``TAIL_BYTES`` of them or all there are.

    Raises:
        DeltaFormatError: It is no payload.
    """
    try:
        return PartPlaces(*member_places(PART_TYPE, size, tail))
    except FormatError as exc:
        raise DeltaFormatError(f"Invalid delta part: {exc.message}") from exc


def max_payload_bytes(header: PartHeader) -> int:
    """Say how large the payload of a part can be at the most, before it is inflated."""
    return _PAYLOAD_FACTOR * header.unpacked_size + _PAYLOAD_SLACK_BYTES


def decode_modes(data: bytes) -> tuple[FileMode, ...]:
    """Parse the table of owners and modes.

    Raises:
        DeltaFormatError: It is none.
    """
    if len(data) % _MODE_BYTES:
        raise DeltaFormatError("Invalid delta part: its modes are cut short")
    return tuple(FileMode(*fields) for fields in iter_unpack(">III", data))


def encode_modes(modes: Iterable[FileMode]) -> bytes:
    """Give the bytes of a table of owners and modes.

    Raises:
        DeltaFormatError: A number does not fit.
    """
    try:
        return b"".join(pack(">III", *mode) for mode in modes)
    except struct_error as exc:
        raise DeltaFormatError("Invalid owner or mode for a delta part") from exc


def decode_xattr_sets(data: bytes) -> tuple[bytes, ...]:
    """Parse the table of extended attributes; each set stays encoded until it is used.

    Raises:
        DeltaFormatError: It is none.
    """
    try:
        return tuple(map(bytes, split_array("a(ayay)", memoryview(data))))
    except FormatError as exc:
        raise DeltaFormatError(f"Invalid delta part: xattrs: {exc.message}") from exc


def decode_xattr_set(data: bytes) -> Xattrs:
    """Parse one set of extended attributes.

    Raises:
        DeltaFormatError: It is none.
    """
    try:
        return decode_xattrs(data)
    except FormatError as exc:
        raise DeltaFormatError(f"Invalid delta part: {exc.message}") from exc


def encode_part(
    modes: Iterable[FileMode], xattr_sets: Iterable[Xattrs], data: bytes, operations: bytes
) -> bytes:
    """Give the payload of a part, not compressed and without the byte before it.

    Raises:
        DeltaFormatError: A number does not fit.
    """
    head, tail = frame_part(modes, xattr_sets, len(data), operations)
    return b"".join((head, data, tail))


def frame_part(
    modes: Iterable[FileMode], xattr_sets: Iterable[Xattrs], data_size: int, operations: bytes
) -> tuple[bytes, bytes]:
    """Give what stands before the data of a payload, and what stands behind them.

    Raises:
        DeltaFormatError: A number does not fit.
    """
    mode_table = encode_modes(modes)
    encoded_sets = [encode_xattrs(xattrs) for xattrs in xattr_sets]
    xattr_table = b"".join(encoded_sets)
    ends = []
    at = 0
    for encoded in encoded_sets:
        at += len(encoded)
        ends.append(at)
    if ends:
        xattr_table += pack_offsets(ends, len(xattr_table))
    head = mode_table + xattr_table
    places = [len(head) + data_size, len(head), len(mode_table)]
    size = len(head) + data_size + len(operations)
    return head, operations + pack_offsets(places, size)


def empty_part() -> bytes:
    """Give the payload of a part that does nothing."""
    return encode_variant(PART_TYPE, ((), (), b"", b""))
