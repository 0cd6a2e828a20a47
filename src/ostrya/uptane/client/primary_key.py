# SPDX-License-Identifier: Apache-2.0
"""The key that signs a Primary's reports: made on the device, given to it, or on a token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.uptane.client.config import KeySource
from ostrya.uptane.errors import IdentityError, MetadataInvalid
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.secret_keys import SecretKey, make_secret_key, read_secret_key

if TYPE_CHECKING:
    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.storage import Storage

KEY_FACT = "uptane-key"
MAX_KEY_BYTES = 32 * 1024
_HEX = re.compile(rb"\s*([0-9a-fA-F]{64}(?:[0-9a-fA-F]{64})?)\s*")


def load_primary_key(config: ClientConfig, storage: Storage) -> SecretKey | None:
    """Return the Primary's key; None if the database has none yet.

    Raises:
        ConfigError: The token that keeps it cannot be used.
        IdentityError: What is kept is no key.
    """
    if config.uptane.key_source is KeySource.PKCS11:
        from ostrya.uptane.client.token import open_token_key

        return open_token_key(config.p11, config.uptane.key_type.value.lower())
    data = storage.fact(KEY_FACT)
    if data is None:
        return None
    what = f"the key in {storage.path}"
    try:
        return read_secret_key(parse_json(data, MAX_KEY_BYTES, what), what)
    except MetadataInvalid as exc:
        raise IdentityError(exc.message) from exc


def new_primary_key(config: ClientConfig) -> SecretKey:
    """Make a key, of the kind that is configured; it is not kept yet."""
    return make_secret_key(config.uptane.key_type.value.lower())


def key_to_keep(secret: SecretKey) -> bytes:
    """Return a key as the database keeps it."""
    return ascii_bytes(secret.to_json())


def read_key_file(data: bytes, where: str) -> SecretKey:
    """Read a key that a device was given: PEM, or hexadecimal digits as aktualizr writes them.

    Raises:
        IdentityError: It is none.
    """
    if len(data) > MAX_KEY_BYTES:
        raise IdentityError(f"{where} is larger than a key")
    found = _HEX.fullmatch(data)
    kind = "ED25519" if found else "RSA"
    private = found[1].decode() if found else data.decode("ascii", "replace")
    try:
        return read_secret_key({"keytype": kind, "keyval": {"private": private}}, where)
    except MetadataInvalid as exc:
        raise IdentityError(
            exc.message, hint="an RSA key is PEM without a password, an ed25519 key 128 digits"
        ) from exc
