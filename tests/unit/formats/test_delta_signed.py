# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.delta_signed import SIGNED_MAGIC, SignedDelta, decode_signed
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.vardict import VarDict, Variant

SIGNATURES = VarDict((("ostree.sign.ed25519", Variant("aay", (b"s" * 64,))),))


def test_there_and_back():
    data = SignedDelta(b"superblock", SIGNATURES).encode()
    assert data.startswith(SIGNED_MAGIC)
    found = decode_signed(data)
    assert found == SignedDelta(b"superblock", SIGNATURES)
    assert found.is_signed
    assert found.encode() == data
    assert not SignedDelta(b"", VarDict((("k", Variant("s", "v")),))).is_signed


def test_none():
    assert decode_signed(b"") is None
    assert decode_signed(b"superblock") is None
    with pytest.raises(DeltaFormatError, match="Invalid signed delta superblock"):
        decode_signed(SIGNED_MAGIC + b"\xff")
