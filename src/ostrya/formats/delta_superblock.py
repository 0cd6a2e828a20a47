# SPDX-License-Identifier: Apache-2.0
"""Superblock: the head of a static delta: what it makes, and of which parts.

Wire format, GVariant ``(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))``, alignment 8::

    a{sv}    ostree.endianness          y       'l' or 'B': the order of the integers marked *
             deltas/Ab/Cd…/0            (yay)   the first part, where parts are inline
             deltas/Ab/Cd…/commitmeta   a{sv}   detached metadata of the commit
             ostrya.apply-memory        t       memory that applying takes, bytes, big-endian
             anything else              v       as the author pleases
    t        time, big-endian, seconds since 1970 UTC
    ay       commit that it needs: 32 bytes, or none
    ay       commit that it makes, 32 bytes
    (…)      that commit itself
    ay       deltas to apply before: 64 bytes each, never used
    a(uayttay)   its parts
      u        version *, 0
      ay       checksum of the part's file, 32 bytes
      t        size of that file *
      t        size of what it makes *
      ay       its objects, 33 bytes each: type, checksum
    a(yaytt)     fallbacks: objects to be fetched one by one
      y        type
      ay       checksum, 32 bytes
      t        size in an archive repository *
      t        size of the content *

Before there was ``ostree.endianness``, integers had the order of the machine that wrote them.
Then they are taken for swapped if a part would be much larger than what it makes, or its objects
larger than 4 GiB on the average, unless they are just that when they are swapped.

Where signatures were made, that is wrapped, see delta_signed.

Source: ostree-repo-static-delta-private.h (OSTREE_STATIC_DELTA_SUPERBLOCK_FORMAT),
ostree-repo-static-delta-core.c (_ostree_delta_get_endianness).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from ostrya.errors import FormatError
from ostrya.formats.checksum import RAW_LENGTH, Checksum, from_raw, to_raw
from ostrya.formats.commit import COMMIT_TYPE, Commit
from ostrya.formats.delta_name import DeltaName, part_path
from ostrya.formats.delta_signed import SignedDelta, decode_signed
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.byteorder import decode_time, encode_time, swap_u32, swap_u64
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.split import split_array, split_tuple, split_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PARTS_TYPE = "a(uayttay)"
FALLBACKS_TYPE = "a(yaytt)"
SUPERBLOCK_TYPE = f"(a{{sv}}tayay{COMMIT_TYPE}ay{PARTS_TYPE}{FALLBACKS_TYPE})"
INLINE_PART_TYPE = "(yay)"
KEY_ENDIANNESS = "ostree.endianness"
# Ours; libostree looks away from it.
KEY_APPLY_MEMORY = "ostrya.apply-memory"
PART_VERSION = 0
OBJECT_BYTES = 1 + RAW_LENGTH

_OBJECT_TYPES = (ObjectType.FILE, ObjectType.DIR_TREE, ObjectType.DIR_META, ObjectType.COMMIT)
_OBJECT_TYPE_NUMBERS = frozenset(map(int, _OBJECT_TYPES))
_LIKELY_RATIO = 1.2
_U32_MAX = 0xFFFF_FFFF


class DeltaByteOrder(StrEnum):
    """The order of a delta's integers; values are libostree's words."""

    LITTLE = "little"
    BIG = "big"
    # Nothing is said and nothing looks wrong, or something else is said: taken for our own.
    INVALID = "invalid"


class FoundByteOrder(NamedTuple):
    """The order of a delta's integers, and whether that is a guess."""

    order: DeltaByteOrder
    heuristic: bool

    @property
    def swapped(self) -> bool:
        """Whether integers are to be swapped after a little-endian reading."""
        return self.order == DeltaByteOrder.BIG


class PartHeader(NamedTuple):
    """What a superblock says of one part.

    Attributes:
        checksum: Of the part's file, its compression byte included.
        size: Of that file, in bytes.
        unpacked_size: Of the objects that it makes, in bytes.
        objects: Their types and checksums, 33 bytes each.
    """

    version: int
    checksum: Checksum
    size: int
    unpacked_size: int
    objects: bytes

    @property
    def object_count(self) -> int:
        """How many objects the part makes."""
        return len(self.objects) // OBJECT_BYTES

    def object_name(self, index: int) -> ObjectName:
        """Give one of the objects that the part makes, from 0.

        Raises:
            DeltaFormatError: There are not so many, or its type is none of a delta's.
        """
        entry = self.objects[index * OBJECT_BYTES : (index + 1) * OBJECT_BYTES]
        if len(entry) != OBJECT_BYTES:
            raise DeltaFormatError(f"The part makes only {self.object_count} objects")
        return ObjectName(Checksum(entry[1:].hex()), _object_type(entry[0]))

    def object_names(self) -> Iterator[ObjectName]:
        """Yield the objects that the part makes.

        Raises:
            DeltaFormatError: One has a type that is none of a delta's.
        """
        return map(self.object_name, range(self.object_count))


class Fallback(NamedTuple):
    """An object that the delta leaves to be fetched by itself.

    Attributes:
        size: In an archive repository, in bytes.
        unpacked_size: Of the content, in bytes.
    """

    name: ObjectName
    size: int
    unpacked_size: int


class Superblock(NamedTuple):
    """The head of a delta.

    Attributes:
        metadata: Everything that is said of it; inline parts are views of the bytes it came from.
        timestamp: When the delta was made, in seconds since 1970 UTC.
        origin: The commit that it needs; None if it needs nothing.
        to: The commit that it makes.
        commit_data: That commit, the bytes of the object.
        parents: Deltas to apply before, 64 bytes each.
        parts: Its parts.
        fallbacks: What is in none of them.
        byte_order: How the integers are written; that ``metadata`` says the same is for the author
            to see to.
    """

    metadata: VarDict
    timestamp: int
    origin: Checksum | None
    to: Checksum
    commit_data: bytes
    parents: bytes
    parts: tuple[PartHeader, ...]
    fallbacks: tuple[Fallback, ...]
    byte_order: FoundByteOrder = FoundByteOrder(DeltaByteOrder.LITTLE, heuristic=False)

    @property
    def name(self) -> DeltaName:
        """The name of the delta."""
        return DeltaName(self.to, self.origin)

    @property
    def size(self) -> int:
        """Of all its parts' files, in bytes."""
        return sum(part.size for part in self.parts)

    @property
    def unpacked_size(self) -> int:
        """Of the objects that its parts make, in bytes."""
        return sum(part.unpacked_size for part in self.parts)

    def inline_part(self, index: int) -> tuple[int, memoryview | bytes] | None:
        """Give the compression and the body of a part that the superblock carries itself."""
        found: tuple[int, memoryview | bytes] | None = self.metadata.lookup(
            part_path(self.name, index), INLINE_PART_TYPE
        )
        return found

    @classmethod
    def decode(cls, data: bytes | memoryview) -> Self:
        """Parse a superblock without signatures; inline parts are not copied.

        Raises:
            DeltaFormatError: It is none.
        """
        try:
            return cls._decode(memoryview(data))
        except DeltaFormatError:
            raise
        except FormatError as exc:
            raise DeltaFormatError(f"Invalid delta superblock: {exc.message}") from exc

    @classmethod
    def _decode(cls, data: memoryview) -> Self:
        fields = split_tuple(SUPERBLOCK_TYPE, data)
        metadata = _decode_metadata(fields[0])
        # Framed so, a commit of another spelling cannot pass: it is checked like any other.
        commit_data = bytes(fields[4])
        Commit.decode(commit_data)
        raw_parts = decode_variant(PARTS_TYPE, fields[6])
        byte_order = find_byte_order(metadata, raw_parts)
        swapped = byte_order.swapped
        return cls(
            metadata=metadata,
            timestamp=decode_time(int.from_bytes(fields[1], "little")),
            origin=_checksum(bytes(fields[2]), "source") if fields[2] else None,
            to=_checksum(bytes(fields[3]), "target"),
            commit_data=commit_data,
            parents=bytes(fields[5]),
            parts=tuple(_decode_part(raw, swapped=swapped) for raw in raw_parts),
            fallbacks=tuple(
                _decode_fallback(raw, swapped=swapped)
                for raw in decode_variant(FALLBACKS_TYPE, fields[7])
            ),
            byte_order=byte_order,
        )

    def encode(self) -> bytes:
        """Give the bytes of the superblock, without signatures.

        Raises:
            FormatError: A field does not fit.
        """
        swapped = self.byte_order.swapped
        fields = (
            self.metadata,
            encode_time(self.timestamp),
            b"" if self.origin is None else to_raw(self.origin),
            to_raw(self.to),
            decode_variant(COMMIT_TYPE, self.commit_data),
            self.parents,
            tuple(_encode_part(part, swapped=swapped) for part in self.parts),
            tuple(_encode_fallback(entry, swapped=swapped) for entry in self.fallbacks),
        )
        return encode_variant(SUPERBLOCK_TYPE, fields)


def decode_superblock(data: bytes | memoryview) -> tuple[Superblock, SignedDelta | None]:
    """Parse the file of a superblock, with signatures or without.

    Raises:
        DeltaFormatError: It is none.
    """
    signed = decode_signed(data)
    if signed is None or not signed.is_signed:
        return Superblock.decode(data if signed is None else signed.superblock), None
    return Superblock.decode(signed.superblock), signed


def find_byte_order(
    metadata: VarDict, parts: Iterable[tuple[int, bytes, int, int, bytes]]
) -> FoundByteOrder:
    """Find out in which order the integers of a superblock are written.

    Args:
        metadata: Of the superblock.
        parts: Its parts, integers read as little-endian.
    """
    said = metadata.lookup(KEY_ENDIANNESS, "y")
    if said is not None:
        orders = {ord("l"): DeltaByteOrder.LITTLE, ord("B"): DeltaByteOrder.BIG}
        return FoundByteOrder(orders.get(said, DeltaByteOrder.INVALID), heuristic=False)
    found = [(size, unpacked, len(objects)) for _, _, size, unpacked, objects in parts]
    if not _looks_swapped(found):
        return FoundByteOrder(DeltaByteOrder.INVALID, heuristic=True)
    swapped = [(swap_u64(size), swap_u64(unpacked), length) for size, unpacked, length in found]
    # Small parts may be larger than what they make: then the other order has to look better.
    order = DeltaByteOrder.INVALID if _are_huge(swapped) else DeltaByteOrder.BIG
    return FoundByteOrder(order, heuristic=True)


def _looks_swapped(sizes: list[tuple[int, int, int]]) -> bool:
    return any(size > unpacked * _LIKELY_RATIO for size, unpacked, _ in sizes) or _are_huge(sizes)


def _are_huge(sizes: list[tuple[int, int, int]]) -> bool:
    """Say whether objects are larger than 4 GiB on the average."""
    count = sum(length // OBJECT_BYTES for _, _, length in sizes)
    return bool(count) and sum(size for size, _, _ in sizes) // count > _U32_MAX


def byte_order_value(order: DeltaByteOrder) -> Variant:
    """Give the value of ``ostree.endianness`` for an order."""
    return Variant("y", ord("B" if order == DeltaByteOrder.BIG else "l"))


def encode_objects(names: Iterable[ObjectName]) -> bytes:
    """Give the types and checksums of a part's objects as its header holds them."""
    return b"".join(bytes([name.type]) + to_raw(name.checksum) for name in names)


def _decode_metadata(data: memoryview) -> VarDict:
    entries = []
    for entry in split_array("{sv}", data):
        key, value = split_tuple("{sv}", entry)
        kind, body = split_variant(value)
        if kind == INLINE_PART_TYPE:
            if not body:
                raise DeltaFormatError("Invalid delta superblock: an inline part is empty")
            found = Variant(kind, (body[0], body[1:]))
        else:
            found = Variant(kind, decode_variant(kind, body))
        entries.append((decode_variant("s", key), found))
    return VarDict(entries)


def _decode_part(raw: Any, *, swapped: bool) -> PartHeader:  # noqa: ANN401
    version, checksum, size, unpacked_size, objects = raw
    if len(objects) % OBJECT_BYTES:
        raise DeltaFormatError(f"Invalid checksum array length {len(objects)}")
    if swapped:
        version, size, unpacked_size = swap_u32(version), swap_u64(size), swap_u64(unpacked_size)
    return PartHeader(version, _checksum(checksum, "part"), size, unpacked_size, objects)


def _encode_part(part: PartHeader, *, swapped: bool) -> tuple[int, bytes, int, int, bytes]:
    version, checksum, size, unpacked_size, objects = part
    if swapped:
        version, size, unpacked_size = swap_u32(version), swap_u64(size), swap_u64(unpacked_size)
    return version, to_raw(checksum), size, unpacked_size, objects


def _decode_fallback(raw: Any, *, swapped: bool) -> Fallback:  # noqa: ANN401
    kind, checksum, size, unpacked_size = raw
    if swapped:
        size, unpacked_size = swap_u64(size), swap_u64(unpacked_size)
    name = ObjectName(_checksum(checksum, "fallback"), _object_type(kind))
    return Fallback(name, size, unpacked_size)


def _encode_fallback(entry: Fallback, *, swapped: bool) -> tuple[int, bytes, int, int]:
    name, size, unpacked_size = entry
    if swapped:
        size, unpacked_size = swap_u64(size), swap_u64(unpacked_size)
    return name.type, to_raw(name.checksum), size, unpacked_size


def _object_type(number: int) -> ObjectType:
    if number not in _OBJECT_TYPE_NUMBERS:
        raise DeltaFormatError(f"Invalid object type '{number}'")
    return ObjectType(number)


def _checksum(raw: bytes, what: str) -> Checksum:
    try:
        return from_raw(raw)
    except FormatError as exc:
        raise DeltaFormatError(f"Invalid delta superblock: {what}: {exc.message}") from exc
