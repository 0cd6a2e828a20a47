# SPDX-License-Identifier: Apache-2.0
"""Signatures by whatever key X.509 can describe, each with the digest that is usual for it.

::

    public key   SubjectPublicKeyInfo, DER
    secret key   PKCS#8 or the older forms for one kind of key, DER, without a password
    signature    what OpenSSL's EVP_DigestSign gives when no digest is named:
                 Ed25519, Ed448   as they are
                 RSA              PKCS #1 v1.5 over SHA-256
                 EC, DSA          DER over SHA-256

Source: ostree-sign-spki.c, otcore-spki-verify.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ostrya.formats.commitmeta import KEY_SPKI_SIGNATURES
from ostrya.sign.errors import BadSignature, InvalidKey, SigningFailed
from ostrya.sign.matching import find_signer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

    from ostrya.sign.matching import TrustedKeys

MAX_SIGNATURE_BYTES = 64 * 1024
_UNKNOWN = "openssl: Failed to initialize spki key"


def check_public_key(key: bytes) -> None:
    """Refuse what is no public key.

    Raises:
        InvalidKey: It cannot be parsed.
    """
    _load_public(key)


def public_key_of(secret_key: bytes) -> bytes:
    """Return the public key that belongs to a secret one.

    Raises:
        InvalidKey: It is no secret key.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public_key = _load_secret(secret_key).public_key()
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class SpkiSigner:
    """Signs with one secret key."""

    name = "spki"
    metadata_key = KEY_SPKI_SIGNATURES

    def __init__(self, secret_key: bytes) -> None:
        """Take a secret key.

        Raises:
            InvalidKey: It is none.
        """
        self._key = _load_secret(secret_key)

    def sign(self, data: bytes, existing: Sequence[bytes] = ()) -> bytes:
        """Return the signature of some bytes.

        Raises:
            SigningFailed: Keys of this kind do not sign.
        """
        del existing
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

        key = self._key
        if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            return key.sign(data)
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(data, ec.ECDSA(hashes.SHA256()))
        if isinstance(key, dsa.DSAPrivateKey):
            return key.sign(data, hashes.SHA256())
        raise SigningFailed("spki: keys of this kind do not sign")


class SpkiVerifier:
    """Accepts signatures by trusted keys."""

    name = "spki"
    metadata_key = KEY_SPKI_SIGNATURES

    def __init__(self, keys: TrustedKeys) -> None:
        """Take the keys.

        Raises:
            InvalidKey: One of the trusted ones is none.
        """
        self._keys = keys
        self._loaded = {key: _load_public(key) for key in keys.trusted}

    def verify(self, data: bytes | memoryview, signatures: Sequence[bytes]) -> str:
        """Return libostree's sentence about the key that vouches for some bytes.

        Raises:
            SignatureError: None does; the class says why.
        """
        key = find_signer(self.name, self._keys, data, signatures, self._is_made_by)
        return f"spki: Signature verified successfully with key '{key.hex()}'"

    def _is_made_by(self, key: bytes, data: bytes | memoryview, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature

        size = len(signature)
        if size > MAX_SIGNATURE_BYTES:
            expected = f"expected <= {MAX_SIGNATURE_BYTES}"
            raise BadSignature(f"Invalid signature of {size} bytes, {expected}")
        public_key = self._loaded.get(key)
        if public_key is None:
            try:
                public_key = self._loaded[key] = _load_public(key)
            except InvalidKey:
                # A revoked key of a kind that is not known here.
                return False
        try:
            _verify_one(public_key, signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


def _verify_one(key: PublicKeyTypes, signature: bytes, data: bytes | memoryview) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(signature, data)
    elif isinstance(key, rsa.RSAPublicKey):
        # Its stub is narrower than what it takes.
        key.verify(signature, cast("bytes", data), padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    elif isinstance(key, dsa.DSAPublicKey):
        key.verify(signature, data, hashes.SHA256())
    else:
        raise InvalidSignature


def _load_public(key: bytes) -> PublicKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise InvalidKey(_UNKNOWN) from exc


def _load_secret(key: bytes) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        return load_der_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise InvalidKey(_UNKNOWN) from exc
