# SPDX-License-Identifier: Apache-2.0
"""Key files, and what is in them."""

from __future__ import annotations

from ostrya.errors import SignatureError
from ostrya.sign.engine import make_signer, make_verifier
from ostrya.sign.keys import parse_public_keys, parse_secret_keys
from ostrya.sign.matching import TrustedKeys

ENGINES = ("ed25519", "spki", "dummy")


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Parse a file for one engine, and make something of every key."""
    engine = ENGINES[data[0] % len(ENGINES) if data else 0]
    try:
        found = parse_public_keys(engine, data[1:])
        make_verifier(engine, TrustedKeys(tuple(found)), allow_dummy=True)
    except SignatureError as exc:
        exc.message.encode("utf-8")
        return _read_secrets(engine, data[1:]) or exc
    return found


def _read_secrets(engine: str, data: bytes) -> list[bytes]:
    try:
        found = parse_secret_keys(engine, data)
        for key in found:
            make_signer(engine, key, allow_dummy=True)
    except SignatureError as exc:
        exc.message.encode("utf-8")
        return []
    return found
