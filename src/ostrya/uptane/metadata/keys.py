# SPDX-License-Identifier: Apache-2.0
"""Public keys: their ids, and whether one of them made a signature.

::

    rsa       PEM, SubjectPublicKeyInfo; RSASSA-PSS, SHA-256, MGF1 with SHA-256, salt of 32 bytes
    ed25519   64 hexadecimal digits

A key id is what a signature names a key by, and nothing more: whoever verifies does not compute it.
Two ids may name one key, so a threshold counts ``identity``. Keys of kinds that are not known here
are kept, and vouch for nothing.

Source: Uptane Standard 2.1.0, section 5.2.1; TUF specification 1.0, section 4.2; aktualizr's
PublicKey::KeyId; ota-tuf's RsaKeyType.
"""

from __future__ import annotations

import functools
import hashlib
import re
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.canonical_json import ascii_bytes, canonical_bytes
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from ostrya.uptane.metadata.json_text import Json, Object

RSA, ED25519 = "rsa", "ed25519"
RSA_SCHEME = "rsassa-pss-sha256"
MAX_KEYS = 1000
MAX_KEY_ID = 256
_MAX_PUBLIC = 8192
_RSA_BITS = range(2048, 8193)
_SALT_BYTES = 32
_SCHEMES = {RSA: RSA_SCHEME, ED25519: ED25519}
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
# What a signature may call the way that it was made.
METHODS = {"rsassa-pss": RSA, "rsassa-pss-sha256": RSA, "ed25519": ED25519}


class Key(NamedTuple):
    """A public key, as metadata has it.

    Attributes:
        keytype: As it is spelled.
        scheme: How it signs; empty where that is not said.
        public: The key itself, as text.
        extra: Fields that are not known.
        more: The same, beside ``public``.
    """

    keytype: str
    scheme: str
    public: str
    extra: Mapping[str, Json] = {}
    more: Mapping[str, Json] = {}

    @property
    def kind(self) -> str:
        """What kind of key it is, in small letters."""
        return self.keytype.lower()

    def to_json(self) -> Object:
        """Return it as metadata has it."""
        value: Object = {"keytype": self.keytype, **self.extra}
        if self.scheme:
            value["scheme"] = self.scheme
        value["keyval"] = {"public": self.public, **self.more}
        return value


def read_key(value: Json, where: str) -> Key:
    """Read a key.

    Raises:
        MetadataInvalid: It is none.
    """
    fields = Fields(value, where)
    keytype = fields.text("keytype")
    scheme = fields.text("scheme") if fields.has("scheme") else ""
    keyval = Fields(fields.mapping("keyval"), f"'keyval' of {where}")
    public = keyval.text("public")
    if len(public) > _MAX_PUBLIC:
        raise keyval.wrong("public", f"longer than {_MAX_PUBLIC} characters")
    if keyval.has("private"):
        raise MetadataInvalid(f"{where} shows its secret half")
    return Key(keytype, scheme, public, fields.rest(), keyval.rest())


def read_keys(value: Object, where: str) -> dict[str, Key]:
    """Read keys by their ids.

    Raises:
        MetadataInvalid: One is none, or there are too many.
    """
    if len(value) > MAX_KEYS:
        raise MetadataInvalid(f"{where} has more than {MAX_KEYS} keys")
    for key_id in value:
        if not 0 < len(key_id) <= MAX_KEY_ID:
            raise MetadataInvalid(f"{where} has a key id of {len(key_id)} characters")
    return {key_id: read_key(one, f"key {key_id} of {where}") for key_id, one in value.items()}


def write_keys(keys: Mapping[str, Key]) -> Object:
    """Return keys as metadata has them."""
    return {key_id: key.to_json() for key_id, key in keys.items()}


def identity(key: Key) -> bytes | None:
    """Return what tells a key from others, whatever it is called; None if it cannot be used."""
    if key.scheme and key.scheme != _SCHEMES.get(key.kind):
        return None
    return _identity(key.kind, key.public)


def is_signed_by(key: Key, data: bytes, signature: bytes, method: str = "") -> bool:
    """Say whether a key made a signature.

    Args:
        key: Of any kind.
        data: What was signed.
        signature: The signature.
        method: What the signature says that it was made by; empty where nothing is said.
    """
    if identity(key) is None:
        return False
    if method and METHODS.get(method.lower()) != key.kind:
        return False
    return _verify(key.kind, key.public, data, signature)


def uptane_key_id(key: Key) -> str:
    """Return the id that aktualizr gives to the keys of a device."""
    text = key.public.rstrip("\n") if key.kind == RSA else key.public
    return hashlib.sha256(ascii_bytes(text)).hexdigest()


def server_key_id(key: Key) -> str:
    """Return the id that Uptane's servers give to the keys of a repository.

    Raises:
        MetadataInvalid: The key cannot be used.
    """
    found = identity(key)
    if found is None:
        raise MetadataInvalid(f"a key of the kind {key.keytype!r} has no id")
    return hashlib.sha256(found).hexdigest()


def tuf_key_id(key: Key) -> str:
    """Return the id that python-tuf gives to a key."""
    value: Object = {
        "keytype": key.kind,
        "scheme": key.scheme or _SCHEMES.get(key.kind, ""),
        "keyval": {"public": key.public},
    }
    return hashlib.sha256(canonical_bytes(Dialect.TUF, value)).hexdigest()


def repository_key_id(dialect: Dialect, key: Key) -> str:
    """Return the id that a key of a repository gets from whoever writes metadata here."""
    return tuf_key_id(key) if dialect is Dialect.TUF else server_key_id(key)


@functools.lru_cache(maxsize=256)
def _identity(kind: str, public: str) -> bytes | None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    loaded = _load(kind, public)
    if loaded is None:
        return None
    return loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@functools.lru_cache(maxsize=256)
def _load(kind: str, public: str) -> RSAPublicKey | Ed25519PublicKey | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if kind == ED25519:
        if not _HEX_KEY.fullmatch(public):
            return None
        return ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    if kind != RSA:
        return None
    try:
        loaded = load_pem_public_key(public.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(loaded, rsa.RSAPublicKey) or loaded.key_size not in _RSA_BITS:
        return None
    return loaded


def _verify(kind: str, public: str, data: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    loaded = _load(kind, public)
    if loaded is None:
        return False
    try:
        if isinstance(loaded, rsa.RSAPublicKey):
            scheme = padding.PSS(padding.MGF1(hashes.SHA256()), _SALT_BYTES)
            loaded.verify(signature, data, scheme, hashes.SHA256())
        else:
            loaded.verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
