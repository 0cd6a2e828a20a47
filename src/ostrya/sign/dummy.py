# SPDX-License-Identifier: Apache-2.0
"""Signatures that anybody can forge, for tests of what goes on around them.

The signature is the key. Whoever makes one of these says that this is a test; the front door asks
the environment (``OSTREE_DUMMY_SIGN_ENABLED``).

Source: ostree-sign-dummy.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import SignatureError
from ostrya.sign.errors import NoSignature, UntrustedKey

if TYPE_CHECKING:
    from collections.abc import Sequence

METADATA_KEY = "ostree.sign.dummy"


class DummySigner:
    """Gives the key as the signature."""

    name = "dummy"
    metadata_key = METADATA_KEY

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, data: bytes, existing: Sequence[bytes] = ()) -> bytes:
        """Return the key."""
        del data, existing
        return self._key


class DummyVerifier:
    """Accepts whoever knows a key."""

    name = "dummy"
    metadata_key = METADATA_KEY

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = frozenset(keys)

    def verify(self, data: bytes | memoryview, signatures: Sequence[bytes]) -> str:
        """Return libostree's sentence.

        Raises:
            SignatureError: No key is among the signatures.
        """
        del data
        if not signatures:
            raise NoSignature("signature: dummy: commit have no signatures of my type")
        if self._keys.isdisjoint(signatures):
            raise UntrustedKey(f"signature: dummy: incorrect signatures found: {len(signatures)}")
        return "dummy: Signature verified"


def require_enabled(*, enabled: bool) -> None:
    """Refuse to pretend security outside of tests.

    Raises:
        SignatureError: Nobody has said that this is a test.
    """
    if not enabled:
        raise SignatureError("dummy signature type is only for ostree testing")
