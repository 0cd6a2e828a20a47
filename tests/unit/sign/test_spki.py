# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ostrya.sign.errors import BadSignature, InvalidKey, SigningFailed, UntrustedKey
from ostrya.sign.matching import TrustedKeys
from ostrya.sign.spki import SpkiSigner, SpkiVerifier, check_public_key, public_key_of


def pair(key):
    secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return secret, public


ED448 = pair(ed448.Ed448PrivateKey.generate())
KINDS = {
    "ed25519": pair(ed25519.Ed25519PrivateKey.generate()),
    "ed448": ED448,
    "rsa": pair(rsa.generate_private_key(65537, 2048)),
    "ec": pair(ec.generate_private_key(ec.SECP256R1())),
}


@pytest.mark.parametrize("kind", KINDS)
def test_signed_and_verified(kind):
    secret, public = KINDS[kind]
    signature = SpkiSigner(secret).sign(b"data")
    verifier = SpkiVerifier(TrustedKeys((public,)))
    sentence = verifier.verify(b"data", [b"junk", signature])
    assert sentence == f"spki: Signature verified successfully with key '{public.hex()}'"
    with pytest.raises(UntrustedKey):
        verifier.verify(b"date", [signature])
    assert public_key_of(secret) == public


def test_what_is_no_key():
    for refused in (lambda: SpkiSigner(b"x"), lambda: check_public_key(ED448[0])):
        with pytest.raises(InvalidKey, match="openssl: Failed to initialize spki key"):
            refused()
    exchange, public = pair(x25519.X25519PrivateKey.generate())
    with pytest.raises(SigningFailed, match="keys of this kind do not sign"):
        SpkiSigner(exchange).sign(b"")
    with pytest.raises(UntrustedKey):
        SpkiVerifier(TrustedKeys((public,))).verify(b"", [b"x"])


def test_revoked_keys_need_not_be_known_here():
    verifier = SpkiVerifier(TrustedKeys((ED448[1],), frozenset({b"of the future"})))
    with pytest.raises(UntrustedKey):
        verifier.verify(b"", [b"x"])


def test_a_signature_has_a_size():
    with pytest.raises(BadSignature, match="Invalid signature of 65537 bytes"):
        SpkiVerifier(TrustedKeys((ED448[1],))).verify(b"", [b"x" * 65537])
