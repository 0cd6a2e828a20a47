# SPDX-License-Identifier: Apache-2.0
"""Secret keys that sign metadata, and the JSON that they are kept in.

::

    {"keytype": "ED25519", "keyval": {"public": hex, "private": hex of seed ‖ public}}
    {"keytype": "RSA", "keyval": {"public": PEM, "private": PEM, PKCS#8 or PKCS#1}}

Source: ota-tuf's TufPrivateKey, which ``targets.sec`` of a ``credentials.zip`` holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.keys import ED25519, RSA, RSA_SCHEME, Key, identity

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from ostrya.uptane.metadata.json_text import Json, Object

    PrivateKey = Ed25519PrivateKey | RSAPrivateKey

KINDS = {"ed25519": 0, "rsa2048": 2048, "rsa3072": 3072, "rsa4096": 4096}
"""What can be made, and how many bits it has."""
_SECRET = re.compile(r"[0-9a-fA-F]{64}(?:[0-9a-fA-F]{64})?")
_SALT_BYTES = 32


class SecretKey(NamedTuple):
    """A secret key, and its public half.

    Attributes:
        key: The public half.
        private: The secret one.
    """

    key: Key
    private: PrivateKey

    def sign(self, data: bytes) -> bytes:
        """Return the signature of some bytes."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        if self.key.kind == ED25519:
            return cast("Ed25519PrivateKey", self.private).sign(data)
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), _SALT_BYTES)
        return cast("RSAPrivateKey", self.private).sign(data, scheme, hashes.SHA256())

    @property
    def method(self) -> str:
        """What a signature by it says of how it was made."""
        return ED25519 if self.key.kind == ED25519 else RSA_SCHEME

    def to_json(self) -> Object:
        """Return both halves, as they are kept."""
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        if self.key.kind == ED25519:
            seed = cast("Ed25519PrivateKey", self.private).private_bytes_raw()
            private = seed.hex() + self.key.public
        else:
            private = self.private.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ).decode()
        keyval: Object = {"public": self.key.public, "private": private}
        return {"keytype": self.key.kind.upper(), "keyval": keyval}


def make_secret_key(kind: str, dialect: Dialect = Dialect.UPTANE) -> SecretKey:
    """Make a new key, of one of `KINDS`."""
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    if kind == ED25519:
        return _with_public(ed25519.Ed25519PrivateKey.generate(), dialect)
    return _with_public(rsa.generate_private_key(65537, KINDS[kind]), dialect)


def read_secret_key(value: Json, where: str, dialect: Dialect = Dialect.UPTANE) -> SecretKey:
    """Read what `SecretKey.to_json` wrote, or ota-tuf's tools.

    Raises:
        MetadataInvalid: It is no secret key, or its halves do not belong together.
    """
    fields = Fields(value, where)
    kind = fields.text("keytype").lower()
    keyval = Fields(fields.mapping("keyval"), f"'keyval' of {where}")
    private = keyval.text("private")
    found = _with_public(_load(kind, private, where), dialect)
    if keyval.has("public"):
        told = Key(kind, "", keyval.text("public"))
        if identity(told) != identity(found.key):
            raise MetadataInvalid(f"the halves of {where} do not belong together")
    return found


def in_dialect(secret: SecretKey, dialect: Dialect) -> SecretKey:
    """Return a key as metadata of a dialect spells it."""
    return _with_public(secret.private, dialect)


def _load(kind: str, private: str, where: str) -> PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if kind == ED25519 and _SECRET.fullmatch(private):
        return ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private)[:32])
    if kind == RSA:
        try:
            loaded = load_pem_private_key(private.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            loaded = None
        if isinstance(loaded, rsa.RSAPrivateKey):
            return loaded
    raise MetadataInvalid(f"{where} is no secret key of the kinds ed25519 and RSA")


def _with_public(private: PrivateKey, dialect: Dialect) -> SecretKey:
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = private.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        kind, scheme, text = ED25519, ED25519, public.public_bytes_raw().hex()
    else:
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        kind, scheme, text = RSA, RSA_SCHEME, pem.decode()
    if dialect is Dialect.UPTANE:
        return SecretKey(Key(kind.upper(), "", text), private)
    return SecretKey(Key(kind, scheme, text), private)
