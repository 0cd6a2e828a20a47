# SPDX-License-Identifier: Apache-2.0
"""LEB128: unsigned 64-bit integers, seven bits a byte, the least first.

::

    300  =  0b10_0101100   ->   1|0101100  0|0000010   =   ac 02
                                ^ more follows

At most ten bytes. Size entries of commits and operations of deltas are written so. A spelling
that is longer than need be is read, as libostree reads it; it is never written.

Source: ostree-varint.c.
"""

from __future__ import annotations

from ostrya.formats.errors import ObjectFormatError

MAX_BYTES = 10
_U64_MASK = (1 << 64) - 1


def encode_varint(value: int) -> bytes:
    """Encode an integer from 0 to 2^64 - 1.

    Raises:
        ObjectFormatError: The value is outside that range.
    """
    if not 0 <= value <= _U64_MASK:
        raise ObjectFormatError(f"Invalid varint value {value}")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_varint(data: bytes, at: int = 0) -> tuple[int, int]:
    """Decode the integer that starts at a place; give it and the place after it.

    Bits beyond the 64th, which only a tenth byte can hold, are dropped.

    Raises:
        ObjectFormatError: The bytes end in its middle, or it is longer than ten bytes.
    """
    value = 0
    for shift, byte in enumerate(data[at : at + MAX_BYTES]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value & _U64_MASK, at + shift + 1
    raise ObjectFormatError("Unexpected EOF reading varint")
