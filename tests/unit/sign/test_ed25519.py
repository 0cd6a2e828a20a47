# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sign.ed25519 import Ed25519Signer, Ed25519Verifier, check_public_key, public_key_of
from ostrya.sign.errors import BadSignature, InvalidKey, UntrustedKey
from ostrya.sign.matching import TrustedKeys
from support.ed25519_keys import key_pair

ONE, TWO = key_pair(1), key_pair(2)


def test_the_vector_of_the_rfc():
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = Ed25519Signer(seed + public).sign(b"")
    assert signature.hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522")


def test_signed_and_verified():
    signature = Ed25519Signer(ONE.secret).sign(b"data")
    sentence = Ed25519Verifier(TrustedKeys((TWO.public, ONE.public))).verify(b"data", [signature])
    hexadecimal = ONE.public.hex()
    assert sentence == f"ed25519: Signature verified successfully with key '{hexadecimal}'"


def test_what_is_mapped_is_not_copied():
    signature = Ed25519Signer(ONE.secret).sign(b"data")
    data = memoryview(b"more data")[5:]
    assert Ed25519Verifier(TrustedKeys((ONE.public,))).verify(data, [signature])


def test_another_key_and_other_data():
    signature = Ed25519Signer(ONE.secret).sign(b"data")
    with pytest.raises(UntrustedKey, match=TWO.public.hex()):
        Ed25519Verifier(TrustedKeys((TWO.public,))).verify(b"data", [signature])
    with pytest.raises(UntrustedKey):
        Ed25519Verifier(TrustedKeys((ONE.public,))).verify(b"date", [signature])


def test_what_is_no_signature():
    message = "Invalid signature: Ill-formed input: expected 64 bytes, got 3 bytes"
    with pytest.raises(BadSignature, match=message):
        Ed25519Verifier(TrustedKeys((ONE.public,))).verify(b"data", [b"abc"])


def test_what_is_no_key():
    with pytest.raises(InvalidKey, match="Invalid ed25519 secret key: Ill-formed input"):
        Ed25519Signer(b"short")
    with pytest.raises(InvalidKey, match="its halves do not belong together"):
        Ed25519Signer(ONE.secret[:32] + TWO.public)
    with pytest.raises(InvalidKey, match="expected 32 bytes, got 2 bytes"):
        Ed25519Verifier(TrustedKeys((b"no",)))
    check_public_key(ONE.public)
    assert public_key_of(ONE.secret) == ONE.public
