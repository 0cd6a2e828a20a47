# SPDX-License-Identifier: Apache-2.0
"""Tombstones."""

from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.tombstone import decode_tombstone, encode_tombstone


def test_vector(objects, vectors):
    ((checksum, data),) = objects("tombstone-commit").items()
    assert checksum == (vectors / "deleted-commit").read_text().strip()
    assert decode_tombstone(data) == checksum
    assert encode_tombstone(checksum) == data


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"commit": Variant("s", "a" * 64)},
        {"commit": Variant("ay", b"")},
        {"commit": Variant("ay", b"a" * 64)},
        {"commit": Variant("ay", b"a" * 63 + b"\0")},
        {"commit": Variant("ay", b"\xff" * 64 + b"\0")},
    ],
)
def test_what_is_none(metadata):
    with pytest.raises(FormatError):
        decode_tombstone(encode_variant("a{sv}", VarDict.of(metadata)))


def test_garbage():
    with pytest.raises(FormatError):
        decode_tombstone(b"garbage")
