# SPDX-License-Identifier: Apache-2.0
"""Checksums: the SHA-256 names of objects, in their three spellings, and compact sets of them.

::

    Checksum          64 hexadecimal digits, lower case     2c26b46b68ff…      everywhere
    raw               32 bytes                              2c 26 b4 6b …      inside objects
    modified base64   43 characters, "/" written as "_"     LCa0a2j_xo_5m0U…   paths of deltas

Source: ostree-core.c (checksum conversions), ostree-repo-static-delta-core.c (path names).
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import TYPE_CHECKING, NewType

from ostrya.formats.errors import ObjectFormatError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

Checksum = NewType("Checksum", str)

RAW_LENGTH = 32
HEX_LENGTH = 64
BASE64_LENGTH = 43

_HEX_DIGITS = frozenset("0123456789abcdef")


def checksum_of(data: bytes | memoryview) -> Checksum:
    """Return the checksum of some bytes."""
    # Loaded with the first: many a command looks at no object's bytes.
    from hashlib import sha256

    return Checksum(sha256(data).hexdigest())


def is_checksum(text: str) -> bool:
    """Say whether the text is 64 lower-case hexadecimal digits."""
    try:
        # There and back beats looking at each digit, and refuses upper case and blanks.
        return len(text) == HEX_LENGTH and bytes.fromhex(text).hex() == text
    except ValueError:
        return False


def check_checksum(text: str) -> Checksum:
    """Give the text back as a checksum.

    Raises:
        ObjectFormatError: Wrong length or wrong digits; the sentence is libostree's.
    """
    if len(text) != HEX_LENGTH:
        raise ObjectFormatError(f"Invalid rev {quash(text)}")
    if not is_checksum(text):
        # The first byte of it, as C sees the text.
        wrong = printable(next(c for c in text if c not in _HEX_DIGITS)).encode("utf-8")[0]
        raise ObjectFormatError(f"Invalid character '{wrong}' in rev '{printable(text)}'")
    return Checksum(text)


def quash(text: str) -> str:
    """Make foreign text fit for one error line: at most 64 bytes, no line breaks."""
    head = printable(text[:HEX_LENGTH]).encode("utf-8")[:HEX_LENGTH]
    return head.decode("utf-8", "replace").replace("\n", " ")


def to_raw(checksum: Checksum) -> bytes:
    """Give the 32 bytes that the hexadecimal digits stand for."""
    return bytes.fromhex(checksum)


def from_raw(raw: bytes) -> Checksum:
    """Give the checksum of 32 raw bytes.

    Raises:
        ObjectFormatError: Not 32 bytes.
    """
    if len(raw) != RAW_LENGTH:
        raise ObjectFormatError(f"Invalid checksum of length {len(raw)} expected {RAW_LENGTH}")
    return Checksum(raw.hex())


def to_modified_base64(checksum: Checksum) -> str:
    """Spell a checksum as the 43 characters that delta paths use."""
    text = b2a_base64(bytes.fromhex(checksum), newline=False).decode("ascii")
    return text[:BASE64_LENGTH].replace("/", "_")


def from_modified_base64(text: str) -> Checksum:
    """Read the 43 characters that delta paths use.

    Raises:
        ObjectFormatError: Not the modified base64 of 32 bytes.
    """
    if len(text) == BASE64_LENGTH and text.isascii() and "/" not in text:
        try:
            raw = a2b_base64((text.replace("_", "/") + "=").encode("ascii"), strict_mode=True)
        except Base64Error:
            raw = b""
        if len(raw) == RAW_LENGTH:
            checksum = Checksum(raw.hex())
            # The last character has two spare bits; only zeros there are the one spelling.
            if to_modified_base64(checksum) == text:
                return checksum
    raise ObjectFormatError(f"Invalid base64 checksum {quash(text)}")


class PackedSet:
    """A set of equally long byte strings, most of whose bytes are digest bytes.

    A million 32-byte members take about 45 MB, where a ``set[bytes]`` takes 120 MB: members
    that share their first two bytes lie end to end in one ``bytearray``, found by the C
    string search.
    """

    __slots__ = ("_buckets", "_length", "_width")

    def __init__(self, width: int) -> None:
        self._buckets: dict[bytes, bytearray] = {}
        self._width = width - 2
        self._length = 0

    def add(self, member: bytes) -> bool:
        """Add a member; say whether it is new."""
        bucket = self._buckets.get(member[:2])
        if bucket is None:
            self._buckets[member[:2]] = bytearray(member[2:])
        elif self._find(bucket, member[2:]) >= 0:
            return False
        else:
            bucket += member[2:]
        self._length += 1
        return True

    def discard(self, member: bytes) -> bool:
        """Remove a member if it is there; say whether it was."""
        bucket = self._buckets.get(member[:2])
        if bucket is None:
            return False
        at = self._find(bucket, member[2:])
        if at < 0:
            return False
        del bucket[at : at + self._width]
        self._length -= 1
        return True

    def _find(self, bucket: bytearray, tail: bytes) -> int:
        at = bucket.find(tail)
        # A hit across the border of two members is no member.
        while at > 0 and at % self._width:
            at = bucket.find(tail, at + 1)
        return at

    def __contains__(self, member: bytes) -> bool:
        bucket = self._buckets.get(member[:2])
        return bucket is not None and self._find(bucket, member[2:]) >= 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        width = self._width
        for prefix, bucket in self._buckets.items():
            for at in range(0, len(bucket), width):
                yield prefix + bucket[at : at + width]


class DigestSet:
    """A set of checksums that stays small: under 64 MB for a million."""

    __slots__ = ("_packed",)

    def __init__(self) -> None:
        self._packed = PackedSet(RAW_LENGTH)

    def add(self, checksum: Checksum) -> bool:
        """Add a checksum; say whether it is new."""
        return self._packed.add(bytes.fromhex(checksum))

    def discard(self, checksum: Checksum) -> bool:
        """Remove a checksum if it is there; say whether it was."""
        return self._packed.discard(bytes.fromhex(checksum))

    def __contains__(self, checksum: Checksum) -> bool:
        return bytes.fromhex(checksum) in self._packed

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[Checksum]:
        for raw in self._packed:
            yield Checksum(raw.hex())
