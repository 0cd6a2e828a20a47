# SPDX-License-Identifier: Apache-2.0
"""As much of ASN.1's encoding rules as the messages between ECUs need. Pure.

Written in DER; read in BER with definite lengths, which is what asn1c writes. Every element is a
tag, a length and a content; tags here are below 31, so a tag is one byte.

Source: ITU-T X.690, sections 8.1 and 10.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.errors import MessageInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INTEGER, OCTETS, ENUMERATED, TEXT, SEQUENCE = 0x02, 0x04, 0x0A, 0x0C, 0x30
CHOICE = 0xA0
"""Of context-specific tags that hold another element, the first."""
_SHORT = 0x80
_MAX_LENGTH_BYTES = 4
_MAX_INTEGER_BYTES = 8


class Element(NamedTuple):
    """One element.

    Attributes:
        tag: What it is.
        content: Its bytes.
    """

    tag: int
    content: bytes


def write(tag: int, content: bytes) -> bytes:
    """Return an element."""
    length = len(content)
    if length < _SHORT:
        return bytes((tag, length)) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(digits))) + digits + content


def write_integer(value: int, tag: int = INTEGER) -> bytes:
    """Return a number, in as few bytes as hold it and its sign."""
    size = (value + (value < 0)).bit_length() // 8 + 1
    return write(tag, value.to_bytes(size, "big", signed=True))


def write_sequence(parts: Iterable[bytes]) -> bytes:
    """Return elements, one after the other, as one."""
    return write(SEQUENCE, b"".join(parts))


def total_length(data: bytes | bytearray, max_bytes: int) -> int | None:
    """Return how long the element is that begins here; None while not enough of it has come.

    Raises:
        MessageInvalid: It is longer than may be read, or has no length.
    """
    if len(data) < 2:
        return None
    if data[0] & 0x1F == 0x1F:
        raise MessageInvalid("a message has a tag of more than one byte")
    count = data[1] & ~_SHORT if data[1] & _SHORT else 0
    if data[1] == _SHORT or count > _MAX_LENGTH_BYTES:
        raise MessageInvalid("a message does not say how long it is")
    if len(data) < 2 + count:
        return None
    length = int.from_bytes(data[2 : 2 + count], "big") if count else data[1]
    if 2 + count + length > max_bytes:
        raise MessageInvalid(f"a message has {length} bytes, and {max_bytes} may be read")
    return 2 + count + length


def read(data: bytes, what: str) -> Element:
    """Return the one element that something is.

    Raises:
        MessageInvalid: It is none, or more than one.
    """
    found = list(read_all(data, what))
    if len(found) != 1:
        raise MessageInvalid(f"{what} is {len(found)} elements, not one")
    return found[0]


def read_all(data: bytes, what: str) -> Iterator[Element]:
    """Yield the elements that lie one after the other.

    Raises:
        MessageInvalid: The last one is not all there.
    """
    at = 0
    while at < len(data):
        length = total_length(data[at : at + 2 + _MAX_LENGTH_BYTES], len(data) - at)
        if length is None:
            raise MessageInvalid(f"{what} ends in the middle of an element")
        head = 2 + (data[at + 1] & ~_SHORT if data[at + 1] & _SHORT else 0)
        yield Element(data[at], data[at + head : at + length])
        at += length


def require(element: Element | None, tag: int, what: str) -> bytes:
    """Return the content of an element of a kind.

    Raises:
        MessageInvalid: It is missing, or of another kind.
    """
    if element is None or element.tag != tag:
        found = "nothing" if element is None else f"tag {element.tag:#04x}"
        raise MessageInvalid(f"{what} has {found} where tag {tag:#04x} belongs")
    return element.content


def read_integer(content: bytes, what: str) -> int:
    """Return a number.

    Raises:
        MessageInvalid: It has no bytes, or too many.
    """
    if not 0 < len(content) <= _MAX_INTEGER_BYTES:
        raise MessageInvalid(f"{what} has a number of {len(content)} bytes")
    return int.from_bytes(content, "big", signed=True)


def read_text(content: bytes, what: str) -> str:
    """Return a text.

    Raises:
        MessageInvalid: It is no UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise MessageInvalid(f"{what} has text that is no UTF-8") from None
