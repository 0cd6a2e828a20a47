# SPDX-License-Identifier: Apache-2.0
"""Ed25519 keys in the form that OSTree gives them, from a number."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class KeyPair(NamedTuple):
    secret: bytes
    public: bytes

    @property
    def secret_text(self) -> str:
        return b64encode(self.secret).decode()

    @property
    def public_text(self) -> str:
        return b64encode(self.public).decode()


def key_pair(number: int) -> KeyPair:
    """Return always the same pair for a number."""
    seed = number.to_bytes(32, "big")
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return KeyPair(seed + public, public)
