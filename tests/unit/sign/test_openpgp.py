# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from base64 import b64encode

import pytest

from ostrya.sign import openpgp
from ostrya.sign.errors import BadSignature, InvalidKey


def old(tag, body):
    return bytes([0x80 | tag << 2, len(body)]) + body


def new(tag, body, length=None):
    return bytes([0xC0 | tag]) + (bytes([len(body)]) if length is None else length) + body


SIGNATURE = old(2, b"sig")


def test_signatures():
    long = b"x" * 200
    two = new(2, long, bytes([192, 8]))
    five = new(2, long, b"\xff\0\0\0\xc8")
    wide = bytes([0x89, 0, 200]) + long
    assert openpgp.signature_packets(SIGNATURE + two + five + wide) == [SIGNATURE, two, five, wide]
    assert openpgp.signature_packets(old(10, b"PGP") + SIGNATURE) == [SIGNATURE]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no data"),
        (b"words", "no packet at byte 0"),
        (SIGNATURE[:-1], "the packet at byte 0 has no end"),
        (b"\xc2", "the packet at byte 0 has no end"),
        (b"\x89\0", "a packet's length has no end"),
        (b"\xc2\xc0", "a packet's length has no end"),
        (b"\xc2\xe0abc", "does not say how long it is"),
        (b"\x8babc", "does not say how long it is"),
        (SIGNATURE + old(11, b"text"), "a packet of type 11"),
        (old(8, b"compressed"), "a packet of type 8"),
    ],
)
def test_what_is_no_signature(data, message):
    with pytest.raises(BadSignature, match=message):
        openpgp.signature_packets(data)


def test_keys():
    first = old(6, b"one") + old(13, b"user") + SIGNATURE
    second = new(6, b"two") + new(14, b"sub") + SIGNATURE
    trust = old(12, b"cache")
    secret = old(5, b"three") + old(13, b"user") + SIGNATURE
    found = openpgp.public_keys(first + trust + secret + second + trust)
    assert found == [openpgp.PublicKey(b"one", first), openpgp.PublicKey(b"two", second)]
    assert openpgp.public_keys(b"") == []


def test_what_is_no_keyring():
    with pytest.raises(InvalidKey, match="no OpenPGP keyring: no packet at byte 0"):
        openpgp.public_keys(b"words")
    with pytest.raises(InvalidKey, match="larger than 64 MiB"):
        openpgp.public_keys(bytes(openpgp.MAX_KEYRING_BYTES + 1))


@pytest.mark.parametrize("headers", [b"\n", b"Comment: words\nHash: x\n\n", b""])
def test_armor(headers):
    def block(data):
        text = b64encode(data)
        return (
            b"-----BEGIN PGP SIGNATURE-----\n" + headers + text + b"\r\n=abcd\n"
            b"-----END PGP SIGNATURE-----\n"
        )

    data = b"words\n" + block(SIGNATURE) + b"between\n" + block(SIGNATURE * 2)
    assert openpgp.dearmor(data) == SIGNATURE * 3
    assert openpgp.dearmor(SIGNATURE) == SIGNATURE


def test_keyboxes_are_recognized():
    assert openpgp.is_keybox(b"\0\0\0 \1\1\0\2KBXf\0")
    assert not openpgp.is_keybox(SIGNATURE)
