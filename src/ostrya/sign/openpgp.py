# SPDX-License-Identifier: Apache-2.0
"""OpenPGP data as rows of packets: taken apart far enough to know what is handed to ``gpg``.

::

    keyring      (public key, then its user ids, subkeys and their signatures)*
    signature    signature packet*
    packet       tag and length of the body in 2 to 6 bytes, body
    armor        base64 between -----BEGIN PGP …----- and -----END PGP …-----

Nothing is verified here. Packets of a length that is not known beforehand are refused: they have no
place in keyrings and signatures.

Source: RFC 4880, sections 4 and 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.sign.errors import BadSignature, InvalidKey
from ostrya.sign.keys import decode_base64

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SIGNATURES_BYTES = 4 << 20
"""All signatures of one thing together."""
MAX_KEYRING_BYTES = 64 << 20
KEYBOX_MAGIC = b"KBXf"
_KEYBOX_MAGIC_AT = 8

_SIGNATURE, _SECRET_KEY, _PUBLIC_KEY, _MARKER = 2, 5, 6, 10
# Ring trust packets are a cache of what some gpg has found valid; we believe nobody's cache.
_OF_A_KEY = frozenset({_SIGNATURE, 13, 14, 17})
_BEGIN, _END = b"-----BEGIN PGP ", b"-----END PGP "


class _PacketError(Exception):
    """Bytes are no packets."""


class Packet(NamedTuple):
    """One packet: what it is, and its bytes with the header."""

    tag: int
    body: bytes
    whole: bytes


class PublicKey(NamedTuple):
    """A public key with all that belongs to it.

    Attributes:
        identity: The body of the primary key's packet.
        packets: All its packets.
    """

    identity: bytes
    packets: bytes


def is_keybox(data: bytes) -> bool:
    """Say whether this is a keyring in GnuPG's own form, which only GnuPG reads."""
    return data[_KEYBOX_MAGIC_AT : _KEYBOX_MAGIC_AT + 4] == KEYBOX_MAGIC


def signature_packets(data: bytes) -> list[bytes]:
    """Split signatures, binary or armored, into one packet each.

    Raises:
        BadSignature: There is something else.
    """
    found = []
    try:
        for packet in _packets(dearmor(data)):
            if packet.tag == _SIGNATURE:
                found.append(packet.whole)
            elif packet.tag != _MARKER:
                raise _PacketError(f"a packet of type {packet.tag}")
    except _PacketError as exc:
        raise BadSignature(f"GPG: this is no OpenPGP signature: {exc}") from exc
    if not found:
        raise BadSignature("GPG: this is no OpenPGP signature: no data")
    return found


def public_keys(data: bytes) -> list[PublicKey]:
    """Split a keyring, binary or armored, into its public keys; secret ones are left out.

    Raises:
        InvalidKey: It is none.
    """
    if len(data) > MAX_KEYRING_BYTES:
        raise InvalidKey(f"keyring is larger than {MAX_KEYRING_BYTES >> 20} MiB")
    found = []
    identity, parts = b"", list[bytes]()
    try:
        for packet in _packets(dearmor(data)):
            if packet.tag in {_PUBLIC_KEY, _SECRET_KEY}:
                if parts:
                    found.append(PublicKey(identity, b"".join(parts)))
                is_public = packet.tag == _PUBLIC_KEY
                identity, parts = packet.body, [packet.whole] if is_public else []
            elif parts and packet.tag in _OF_A_KEY:
                parts.append(packet.whole)
    except _PacketError as exc:
        raise InvalidKey(f"this is no OpenPGP keyring: {exc}") from exc
    if parts:
        found.append(PublicKey(identity, b"".join(parts)))
    return found


def dearmor(data: bytes) -> bytes:
    """Return the bytes in armored blocks; what is not armored comes back as it is."""
    if data[:1] >= b"\x80" or _BEGIN not in data:
        return data
    blocks = []
    body: list[bytes] | None = None
    in_headers = False
    for line in map(bytes.strip, data.split(b"\n")):
        if line.startswith(_BEGIN):
            body, in_headers = [], True
        elif body is None:
            continue
        elif line.startswith(_END):
            blocks.append(decode_base64(b"".join(body)))
            body = None
        elif in_headers and (not line or b":" in line):
            # An empty line ends the headers; GnuPG takes blocks without either.
            in_headers = bool(line)
        elif not line.startswith(b"="):
            in_headers = False
            body.append(line)
    return b"".join(blocks)


def _packets(data: bytes) -> Iterator[Packet]:
    at = 0
    while at < len(data):
        first = data[at]
        if not first & 0x80:
            raise _PacketError(f"no packet at byte {at}")
        tag, start, size = _new_header(data, at) if first & 0x40 else _old_header(data, at)
        end = start + size
        if end > len(data):
            raise _PacketError(f"the packet at byte {at} has no end")
        yield Packet(tag, data[start:end], data[at:end])
        at = end


def _new_header(data: bytes, at: int) -> tuple[int, int, int]:
    tag = data[at] & 0x3F
    first = data[at + 1 : at + 2]
    if not first:
        raise _PacketError(f"the packet at byte {at} has no end")
    length = first[0]
    if length < 192:
        return tag, at + 2, length
    if length < 224:
        return tag, at + 3, ((length - 192) << 8) + _number(data, at + 2, 1) + 192
    if length == 255:
        return tag, at + 6, _number(data, at + 2, 4)
    raise _PacketError(f"the packet at byte {at} does not say how long it is")


def _old_header(data: bytes, at: int) -> tuple[int, int, int]:
    tag, kind = data[at] >> 2 & 0x0F, data[at] & 3
    if kind == 3:
        raise _PacketError(f"the packet at byte {at} does not say how long it is")
    size = 1 << kind
    return tag, at + 1 + size, _number(data, at + 1, size)


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise _PacketError("a packet's length has no end")
    return int.from_bytes(data[at : at + size], "big")
