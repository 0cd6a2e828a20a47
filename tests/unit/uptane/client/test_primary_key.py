# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ostrya.uptane.client.config import ClientConfig, KeyType, UptaneSection
from ostrya.uptane.client.primary_key import (
    KEY_FACT,
    MAX_KEY_BYTES,
    key_to_keep,
    load_primary_key,
    new_primary_key,
    read_key_file,
)
from ostrya.uptane.errors import IdentityError
from ostrya.uptane.metadata.keys import is_signed_by
from support.uptane_world import key, rsa_key


@pytest.mark.parametrize("kind", list(KeyType))
def test_made_kept_and_loaded(storage, kind):
    config = ClientConfig(uptane=UptaneSection(key_type=kind))
    assert load_primary_key(config, storage) is None
    made = new_primary_key(config)
    assert made.key.keytype == ("ED25519" if kind is KeyType.ED25519 else "RSA")
    storage.set_fact(KEY_FACT, key_to_keep(made))
    loaded = load_primary_key(config, storage)
    assert loaded.key == made.key
    assert is_signed_by(made.key, b"report", loaded.sign(b"report"))


def test_what_is_kept_may_be_damaged(storage):
    for data in (b"", b"{}", b'{"keytype": "RSA", "keyval": {"private": "x"}}'):
        storage.set_fact(KEY_FACT, data)
        with pytest.raises(IdentityError):
            load_primary_key(ClientConfig(), storage)


def test_files_that_a_device_was_given():
    secret = key(1)
    both = secret.to_json()["keyval"]["private"]
    for text in (both, both[:64], f"{both}\n", both.upper()):
        assert read_key_file(text.encode(), "it").key == secret.key
    private = rsa_key().private
    for form in (
        serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL,
    ):  # fmt: skip
        pem = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        assert read_key_file(pem, "it").key == rsa_key().key


def test_files_that_are_no_keys():
    locked = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )
    for data in (b"", b"abc", b"\xff\xfe", b"a" * 63, locked, b"a" * (MAX_KEY_BYTES + 1)):
        with pytest.raises(IdentityError):
            read_key_file(data, "it")
