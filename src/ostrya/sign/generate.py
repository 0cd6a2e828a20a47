# SPDX-License-Identifier: Apache-2.0
"""New pairs of keys, in the form in which key files hold them.

::

    engine     secret                                public
    ed25519    seed ‖ public key, in base64          base64
    spki       PKCS#8, PEM                           SubjectPublicKeyInfo, PEM
"""

from __future__ import annotations

import base64

from ostrya.named_tuple import NamedTuple
from ostrya.sign.errors import InvalidKey


class KeyPair(NamedTuple):
    """The contents of two key files.

    Attributes:
        secret: Who has this can sign.
        public: Who has this can verify.
    """

    secret: bytes
    public: bytes


def generate_keys(engine: str) -> KeyPair:
    """Make a pair of keys.

    Raises:
        InvalidKey: The engine has no keys to be made.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    if engine == "ed25519":
        public = key.public_key().public_bytes_raw()
        secret = key.private_bytes_raw() + public
        return KeyPair(base64.b64encode(secret) + b"\n", base64.b64encode(public) + b"\n")
    if engine == "spki":
        pem = serialization.Encoding.PEM
        return KeyPair(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
            key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
        )
    raise InvalidKey(f"{engine} has no keys that could be made")
