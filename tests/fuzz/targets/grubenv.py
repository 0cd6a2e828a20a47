# SPDX-License-Identifier: Apache-2.0
"""GRUB's environment block."""

from __future__ import annotations

from ostrya.boot.errors import EnvironmentInvalid
from ostrya.boot.grubenv import SIZE_BYTES, decode_grubenv, encode_grubenv


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode, filled up to its size; what is written again says the same."""
    try:
        found = decode_grubenv(data[:SIZE_BYTES].ljust(SIZE_BYTES, b"#"))
        again = encode_grubenv(found)
    except EnvironmentInvalid as exc:
        return exc
    assert decode_grubenv(again) == found
    return found
