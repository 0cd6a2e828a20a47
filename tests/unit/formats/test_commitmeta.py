# SPDX-License-Identifier: Apache-2.0
"""Detached metadata."""

from __future__ import annotations

import pytest

from ostrya.formats.commitmeta import decode_commitmeta, encode_commitmeta
from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.vardict import VarDict, Variant


def test_vector(objects):
    ((checksum, data),) = objects("commitmeta").items()
    assert checksum in objects("commit")
    metadata = decode_commitmeta(data)
    assert metadata == VarDict.of(
        {
            "example.note": Variant("s", "detached"),
            "ostree.sign.dummy": Variant("aay", (b"a-dummy-key",)),
        }
    )
    assert encode_commitmeta(metadata) == data


def test_nothing_is_an_empty_file():
    assert decode_commitmeta(b"") == VarDict()
    assert type(decode_commitmeta(b"")) is VarDict
    assert encode_commitmeta(VarDict()) == b""


def test_what_is_none():
    with pytest.raises(GVariantError):
        decode_commitmeta(b"<html>")
    with pytest.raises(GVariantError):
        encode_commitmeta(VarDict.of({"k": Variant("s", 5)}))
