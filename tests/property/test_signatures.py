# SPDX-License-Identifier: Apache-2.0
"""What is signed verifies; any bytes end in keys, in a verdict, or in a SignatureError."""

from __future__ import annotations

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from ostrya.errors import SignatureError
from ostrya.sign import gpg_status, keys, openpgp, policy
from ostrya.sign.engine import make_signer, make_verifier
from ostrya.sign.matching import TrustedKeys
from support.ed25519_keys import key_pair

_SPKI = ed448.Ed448PrivateKey.from_private_bytes(bytes(57))
PAIRS = {
    "ed25519": tuple(key_pair(1)),
    "spki": (
        _SPKI.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        _SPKI.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ),
}
ENGINES = st.sampled_from(("ed25519", "spki", "dummy"))


@pytest.mark.parametrize("engine", PAIRS)
@given(data=st.binary(max_size=200), change=st.integers(min_value=0))
def test_what_is_signed_verifies_and_nothing_else(engine, data, change):
    secret, public = PAIRS[engine]
    signature = make_signer(engine, secret).sign(data)
    verifier = make_verifier(engine, TrustedKeys((public,)))
    assert public.hex() in verifier.verify(data, [b"junk", signature])
    bit = change % (8 * len(signature))
    bad = bytearray(signature)
    bad[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        verifier.verify(data, [bytes(bad)])
    with pytest.raises(SignatureError):
        verifier.verify(data + b"x", [signature])


@given(engine=ENGINES, key=st.binary(max_size=100), signatures=st.lists(st.binary(max_size=100)))
def test_any_key_and_any_signature(engine, key, signatures):
    try:
        verifier = make_verifier(engine, TrustedKeys((key,)), allow_dummy=True)
        verifier.verify(b"data", signatures)
    except SignatureError:
        return
    assert engine == "dummy"
    assert key in signatures


@given(engine=ENGINES, key=st.binary(max_size=100))
def test_any_secret_key(engine, key):
    try:
        make_signer(engine, key, allow_dummy=True)
    except SignatureError:
        assert engine != "dummy"


@given(engine=ENGINES, data=st.binary(max_size=300))
def test_any_key_file(engine, data):
    for parse in (keys.parse_public_keys, keys.parse_secret_keys):
        try:
            found = parse(engine, data)
        except SignatureError:
            assert engine == "spki"
        else:
            assert all(isinstance(key, bytes) for key in found)


@given(data=st.binary(max_size=100))
def test_base64(data):
    assert keys.decode_base64(b64encode(data)) == data
    keys.decode_base64(data)


def packets(data: bytes) -> bytes:
    return bytes([0x80 | 2 << 2, len(data)]) + data


@given(bodies=st.lists(st.binary(max_size=50), min_size=1, max_size=5))
def test_packets_come_apart(bodies):
    assert openpgp.signature_packets(b"".join(map(packets, bodies))) == list(map(packets, bodies))


@given(data=st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: b"\x99\0\1" + tail))
def test_any_openpgp_data(data):
    armored = b"-----BEGIN PGP X-----\n\n" + b64encode(data) + b"\n-----END PGP X-----\n"
    for given_data in (data, armored):
        for parse in (openpgp.signature_packets, openpgp.public_keys):
            try:
                parse(given_data)
            except SignatureError:
                continue


_WORD = st.sampled_from(
    ["NEWSIG", "GOODSIG", "BADSIG", "VALIDSIG", "ERRSIG", "IMPORT_RES", "0", "9", "00", "ABCD", "é"]
)
_LINE = st.lists(_WORD, max_size=12).map(lambda words: "[GNUPG:] " + " ".join(words) + "\n")


@given(text=st.lists(_LINE | st.text(max_size=40), max_size=12).map("".join))
def test_any_status(text):
    for signature in gpg_status.parse_signatures(text.encode()):
        if signature.verdict is gpg_status.Verdict.GOOD:
            assert "GOODSIG" in text
            assert "VALIDSIG" in text
    gpg_status.count_imported(text.encode())


_FIELD = st.sampled_from(["pub", "sub", "fpr", "uid", "sec", "r", "e", "12", "é", "\\x3a", ""])


@given(lines=st.lists(st.lists(_FIELD, max_size=11).map(":".join), max_size=8))
def test_any_listing(lines):
    for key in gpg_status.parse_keys("\n".join(lines).encode()):
        assert key.subkeys


@given(value=st.text(max_size=30))
def test_any_setting(value):
    try:
        demand = policy.parse_demand(value)
    except SignatureError:
        return
    assert set(demand.engines) <= set(policy.ENGINES)
