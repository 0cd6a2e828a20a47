# SPDX-License-Identifier: Apache-2.0
"""OpenPGP keyrings and signatures."""

from __future__ import annotations

from ostrya.errors import SignatureError
from ostrya.sign.openpgp import public_keys, signature_packets


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Take apart, as a keyring or as signatures."""
    try:
        if data[:1] == b"k":
            return public_keys(data[1:])
        return signature_packets(data[1:])
    except SignatureError as exc:
        exc.message.encode("utf-8")
        return exc
