# SPDX-License-Identifier: Apache-2.0
"""Delta indexes, and the same dictionary in summaries."""

from __future__ import annotations

import pytest

from ostrya.formats.delta_index import decode_delta_index, delta_digests, encode_delta_index
from ostrya.formats.delta_name import DeltaName
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.vardict import VarDict, Variant

A, B, C = "a" * 64, "b" * 64, "c" * 64
DIGESTS = {DeltaName(A, None): b"1" * 32, DeltaName(A, C): b"2" * 32, DeltaName(A, B): b"3" * 32}


def test_there_and_back():
    data = encode_delta_index(DIGESTS)
    assert decode_delta_index(data) == DIGESTS
    assert encode_delta_index(dict(reversed(DIGESTS.items()))) == data


def test_what_names_no_delta_is_passed_over():
    deltas = VarDict(
        (
            ("nonsense", Variant("ay", b"1" * 32)),
            (A, Variant("ay", b"short")),
            (B, Variant("s", "no bytes")),
            (C, Variant("ay", b"4" * 32)),
        )
    )
    metadata = VarDict((("ostree.static-deltas", Variant("a{sv}", deltas)),))
    assert delta_digests(metadata) == {DeltaName(C, None): b"4" * 32}
    assert delta_digests(VarDict()) == {}


def test_damaged():
    with pytest.raises(DeltaFormatError, match="Invalid delta index: Not normal form"):
        decode_delta_index(b"\xff\xff")
