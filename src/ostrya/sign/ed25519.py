# SPDX-License-Identifier: Apache-2.0
"""Ed25519: the engine that is used when none is named.

::

    secret key   64 bytes: the seed (32) followed by the public key (32)
    public key   32 bytes
    signature    64 bytes

Source: ostree-sign-ed25519.c; RFC 8032.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.commitmeta import KEY_ED25519_SIGNATURES
from ostrya.sign.errors import BadSignature, InvalidKey
from ostrya.sign.matching import find_signer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.sign.matching import TrustedKeys

PUBLIC_KEY_BYTES = 32
SECRET_KEY_BYTES = 64
SIGNATURE_BYTES = 64
_SEED_BYTES = 32


def check_public_key(key: bytes) -> None:
    """Refuse what cannot be a public key.

    Raises:
        InvalidKey: It has another length.
    """
    _check_length("Invalid ed25519 public key", key, PUBLIC_KEY_BYTES)


def public_key_of(secret_key: bytes) -> bytes:
    """Return the public key that belongs to a secret one.

    Raises:
        InvalidKey: It is no secret key, or its halves do not belong together.
    """
    return Ed25519Signer(secret_key).public_key


class Ed25519Signer:
    """Signs with one secret key."""

    name = "ed25519"
    metadata_key = KEY_ED25519_SIGNATURES

    def __init__(self, secret_key: bytes) -> None:
        """Take a secret key.

        Raises:
            InvalidKey: It is none, or its halves do not belong together.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        _check_length("Invalid ed25519 secret key", secret_key, SECRET_KEY_BYTES)
        self._key = Ed25519PrivateKey.from_private_bytes(secret_key[:_SEED_BYTES])
        self.public_key = self._key.public_key().public_bytes_raw()
        if self.public_key != secret_key[_SEED_BYTES:]:
            raise InvalidKey("Invalid ed25519 secret key: its halves do not belong together")

    def sign(self, data: bytes, existing: Sequence[bytes] = ()) -> bytes:
        """Return the signature of some bytes; a second one by the same key is the same."""
        del existing
        return self._key.sign(data)


class Ed25519Verifier:
    """Accepts signatures by trusted keys."""

    name = "ed25519"
    metadata_key = KEY_ED25519_SIGNATURES

    def __init__(self, keys: TrustedKeys) -> None:
        """Take the keys.

        Raises:
            InvalidKey: One of the trusted ones is none.
        """
        for key in keys.trusted:
            check_public_key(key)
        self._keys = keys

    def verify(self, data: bytes | memoryview, signatures: Sequence[bytes]) -> str:
        """Return libostree's sentence about the key that vouches for some bytes.

        Raises:
            SignatureError: None does; the class says why.
        """
        key = find_signer(self.name, self._keys, data, signatures, _is_made_by)
        return f"ed25519: Signature verified successfully with key '{key.hex()}'"


def _is_made_by(key: bytes, data: bytes | memoryview, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    problem = _length_problem(signature, SIGNATURE_BYTES)
    if problem:
        raise BadSignature(f"Invalid signature: {problem}")
    if len(key) != PUBLIC_KEY_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _check_length(what: str, key: bytes, expected: int) -> None:
    problem = _length_problem(key, expected)
    if problem:
        raise InvalidKey(f"{what}: {problem}")


def _length_problem(value: bytes, expected: int) -> str:
    if len(value) == expected:
        return ""
    return f"Ill-formed input: expected {expected} bytes, got {len(value)} bytes"
