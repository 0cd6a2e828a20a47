# SPDX-License-Identifier: Apache-2.0
"""Extended attributes: pairs of name and value, sorted by name.

Wire format, GVariant ``a(ayay)``, alignment 1::

    pair 0 | pair 1 | … | ends of the pairs (1, 2, 4 or 8 bytes each, by the array's size)

    pair:  name NUL | value | end of the name (1, 2, 4 or 8 bytes, by the pair's size)

In Python the NUL is dropped. Names are not empty, hold no NUL, and are sorted by their bytes
without duplicates. There is no limit to their number or size.

Source: ostree-core.c (_ostree_validate_structureof_xattrs, _ostree_canonicalize_xattrs).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.errors import GVariantError, ObjectFormatError
from ostrya.formats.gvariant.encode import pack_offsets
from ostrya.formats.gvariant.types import framed_offset_size, offset_size

if TYPE_CHECKING:
    from collections.abc import Iterable

Xattrs = tuple[tuple[bytes, bytes], ...]


def check_xattrs(xattrs: Xattrs) -> Xattrs:
    """Give the attributes back if their names are valid and sorted.

    Raises:
        ObjectFormatError: A name is empty, holds a NUL, comes twice or is out of order.
    """
    previous = b""
    for index, (name, _) in enumerate(xattrs):
        if not name or b"\0" in name:
            raise ObjectFormatError(f"Invalid xattr name (empty or missing NUL) index={index}")
        if name <= previous:
            raise _order_error(previous, name, index)
        previous = name
    return xattrs


def _order_error(previous: bytes, name: bytes, index: int) -> ObjectFormatError:
    if name == previous:
        return ObjectFormatError(f"Duplicate xattr name, index={index}")
    before, after = (n.decode("utf-8", "replace") for n in (previous, name))
    return ObjectFormatError(
        f"Incorrectly sorted xattr name (prev={before}, cur={after}), index={index}"
    )


def canonical_xattrs(pairs: Iterable[tuple[bytes, bytes]]) -> Xattrs:
    """Sort attributes by name, as objects hold them.

    Raises:
        ObjectFormatError: A name is empty, holds a NUL or comes twice.
    """
    return check_xattrs(tuple(sorted((bytes(name), bytes(value)) for name, value in pairs)))


def encode_xattrs(xattrs: Xattrs) -> bytes:
    """Encode sorted attributes as ``a(ayay)``."""
    if not xattrs:
        return b""
    body = bytearray()
    ends: list[int] = []
    for name, value in xattrs:
        size = len(name) + 1 + len(value)
        width = framed_offset_size(size, 1)
        body += b"%b\0%b%b" % (name, value, (len(name) + 1).to_bytes(width, "little"))
        ends.append(len(body))
    body += pack_offsets(ends, len(body))
    return bytes(body)


def decode_xattrs(data: bytes) -> Xattrs:
    """Decode an ``a(ayay)``.

    Raises:
        GVariantError: Not in normal form.
        ObjectFormatError: Names are not as they must be.
    """
    size = len(data)
    if not size:
        return ()
    width = offset_size(size)
    table = int.from_bytes(data[size - width :], "little")
    count, rest = divmod(size - table, width)
    if count < 1 or rest or framed_offset_size(table, count) != width:
        raise GVariantError("Not normal form: the offsets of the xattrs do not add up")
    pairs: list[tuple[bytes, bytes]] = []
    start = 0
    for place in range(table, size, width):
        end = int.from_bytes(data[place : place + width], "little")
        if not start < end <= table:
            raise GVariantError("Not normal form: the offsets of the xattrs overlap")
        pairs.append(_decode_pair(data[start:end], len(pairs)))
        start = end
    return check_xattrs(tuple(pairs))


def _decode_pair(pair: bytes, index: int) -> tuple[bytes, bytes]:
    width = offset_size(len(pair))
    body = len(pair) - width
    name_end = int.from_bytes(pair[body:], "little")
    if body < name_end or framed_offset_size(body, 1) != width:
        raise GVariantError("Not normal form: the offset of an xattr does not add up")
    if not name_end or pair[name_end - 1]:
        raise ObjectFormatError(f"Invalid xattr name (empty or missing NUL) index={index}")
    return pair[: name_end - 1], pair[name_end:body]
