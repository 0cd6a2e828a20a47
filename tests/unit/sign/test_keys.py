# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sign import keys
from ostrya.sign.errors import InvalidKey

PEM = b"-----BEGIN PUBLIC KEY-----\nAAEC\nAwQF\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        (b"", b""),
        (b"AAEC", b"\0\1\2"),
        (b"AAE=", b"\0\1"),
        (b"AA==", b"\0"),
        (b"A A\tE\nC!", b"\0\1\2"),
        (b"AAECAA", b"\0\1\2"),
        (b"AA==AAEC", b"\0\0\1\2"),
        (b"====", b"\0"),
    ],
)
def test_base64_is_glibs(text, decoded):
    assert keys.decode_base64(text) == decoded


def test_a_line_is_a_key():
    assert keys.parse_public_keys("ed25519", b"AAEC\r\n\n  \nAwQF") == [b"\0\1\2", b"\3\4\5"]
    assert keys.parse_secret_keys("dummy", b"one\n\ntwo words\n") == [b"one", b"two words"]


def test_a_block_is_a_key():
    assert keys.parse_public_keys("spki", b"words\n" + PEM + PEM) == [b"\0\1\2\3\4\5"] * 2
    assert keys.parse_public_keys("spki", b"") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PEM[:40], "PEM trailer not found"),
        (PEM.replace(b"END PUBLIC", b"END OTHER"), "Unmatched PEM header"),
        (PEM.replace(b"PUBLIC", b"PRIVATE"), 'Unexpected label "PRIVATE KEY"'),
    ],
)
def test_blocks_that_are_refused(text, message):
    with pytest.raises(InvalidKey, match=message):
        keys.parse_public_keys("spki", text)


def test_limits():
    with pytest.raises(InvalidKey, match="more than 10000 keys"):
        keys.parse_public_keys("dummy", b"a\n" * 10_001)
    with pytest.raises(InvalidKey, match="larger than 65536 bytes"):
        keys.parse_public_keys("dummy", b"a" * 70_000)
    with pytest.raises(InvalidKey, match="larger than 65536 bytes"):
        keys.parse_key_argument("ed25519", "A" * 140_000)


def test_arguments():
    assert keys.parse_key_argument("ed25519", "AAEC") == b"\0\1\2"
    assert keys.parse_key_argument("dummy", "AAEC") == b"AAEC"
