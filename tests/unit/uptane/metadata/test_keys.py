# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata import keys
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.keys import Key, identity, is_signed_by, read_key, read_keys
from support.uptane_world import key, rsa_key

PEM = rsa_key().key.public


def test_what_is_read_is_written():
    value = {"keytype": "RSA", "keyval": {"public": PEM, "x": 1}, "y": [2], "scheme": "s"}
    assert read_key(value, "it").to_json() == value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"keytype": "RSA", "keyval": {}}, "has no 'public'"),
        ({"keytype": "RSA", "keyval": {"public": "x" * 9000}}, "longer than"),
        ({"keytype": "RSA", "keyval": {"public": "x", "private": "y"}}, "shows its secret half"),
        ({"keytype": 1, "keyval": {"public": "x"}}, "no text"),
    ],
)
def test_no_key(value, why):
    with pytest.raises(MetadataInvalid, match=why):
        read_key(value, "it")


def test_too_many_keys():
    one = key(1).key.to_json()
    with pytest.raises(MetadataInvalid, match="more than 1000 keys"):
        read_keys({str(at): one for at in range(1001)}, "it")
    with pytest.raises(MetadataInvalid, match="a key id of 300 characters"):
        read_keys({"a" * 300: one}, "it")


def test_a_key_is_the_same_whatever_it_is_called():
    public = key(1).key.public
    assert identity(Key("ED25519", "", public)) == identity(
        Key("ed25519", "ed25519", public.upper())
    )
    # With and without a newline at the end.
    assert identity(Key("RSA", "", PEM)) == identity(Key("rsa", "rsassa-pss-sha256", PEM.strip()))


@pytest.mark.parametrize(
    "one",
    [
        Key("ecdsa", "ecdsa-sha2-nistp256", "x"), Key("ED25519", "", "zz"), Key("RSA", "", "no PEM"),
        Key("rsa", "rsa-pkcs1v15-sha256", PEM), Key("ED25519", "", PEM), Key("RSA", "", key(1).key.public),
    ],
)  # fmt: skip
def test_keys_that_cannot_be_used_vouch_for_nothing(one):
    assert identity(one) is None
    assert not is_signed_by(one, b"data", b"signature")


def test_short_rsa_keys_vouch_for_nothing():
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = rsa.generate_private_key(65537, 1024).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert identity(Key("RSA", "", pem)) is None


@pytest.mark.parametrize("secret", [key(1), rsa_key()], ids=["ed25519", "rsa"])
def test_signatures(secret):
    signature = secret.sign(b"data")
    assert is_signed_by(secret.key, b"data", signature)
    assert is_signed_by(secret.key, b"data", signature, secret.method.upper())
    assert not is_signed_by(secret.key, b"date", signature)
    assert not is_signed_by(secret.key, b"data", signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not is_signed_by(secret.key, b"data", b"")
    other = "ed25519" if secret.key.kind == "rsa" else "rsassa-pss"
    assert not is_signed_by(secret.key, b"data", signature, other)


def test_ids():
    ed25519, rsa = key(1).key, rsa_key().key
    quoted = '"' + ed25519.public + '"'
    assert keys.uptane_key_id(ed25519) == hashlib.sha256(quoted.encode()).hexdigest()
    escaped = '"' + rsa.public.rstrip("\n").replace("\n", "\\n") + '"'
    assert keys.uptane_key_id(rsa) == hashlib.sha256(escaped.encode()).hexdigest()
    assert keys.server_key_id(rsa) == hashlib.sha256(identity(rsa)).hexdigest()
    with pytest.raises(MetadataInvalid, match="has no id"):
        keys.server_key_id(Key("x", "", "y"))
    assert keys.repository_key_id(Dialect.UPTANE, rsa) == keys.server_key_id(rsa)
    assert keys.repository_key_id(Dialect.TUF, rsa) == keys.tuf_key_id(rsa)
