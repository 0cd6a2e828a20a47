# SPDX-License-Identifier: Apache-2.0
"""Variant text, cut."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.text_tokens import Place, TokenStream, text_error


def cut(text: str) -> list[str]:
    stream = TokenStream(text)
    found = []
    while stream.token:
        found.append(stream.advance())
    return found


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n\v\f\r", []),
        ("[1, uint16 -2]", ["[", "1", ",", "uint16", "-2", "]"]),
        ("{'a': <b'x'>}", ["{", "'a'", ":", "<", "b'x'", ">", "}"]),
        ("@a{sv} {}", ["@a{sv}", "{", "}"]),
        ("(@(ii) (1,2))", ["(", "@(ii)", "(", "1", ",", "2", ")", ")"]),
        ("[@i]", ["[", "@i", "]"]),
        ("(@i)", ["(", "@i", ")"]),
        ("'a\\'b' c", ["'a\\'b'", "c"]),
        ('"a\'b"', ['"a\'b"']),
        ("'open", ["'open"]),
        ("'open\\", ["'open\\"]),
        ("b\"x\\\"y\"", ["b\"x\\\"y\""]),
        ("b x", ["b", "x"]),
        ("1e+5-3", ["1e+5-3"]),
        ("+.5", ["+.5"]),
        ("abc1.5", ["abc1", ".5"]),
        ("Abc", ["A", "bc"]),
        ("é1", ["é", "1"]),
        ("a_b", ["a", "_", "b"]),
        ("%i", ["%", "i"]),
    ],
)  # fmt: skip
def test_tokens(text, tokens):
    assert cut(text) == tokens


def test_places():
    stream = TokenStream("  ab  c ")
    assert (stream.token, stream.place, stream.taken) == ("ab", Place(2, 4), 0)
    assert stream.advance() == "ab"
    assert (stream.token, stream.place, stream.taken) == ("c", Place(6, 7), 4)
    assert not stream.consume("x")
    assert stream.consume("c")
    assert (stream.token, stream.place, stream.taken) == ("", Place(8, 8), 7)


def test_require():
    stream = TokenStream("ab")
    with pytest.raises(GVariantError) as caught:
        stream.require(",", " to go on")
    assert caught.value.message == "0:expected ',' to go on"


def test_places_in_errors_count_bytes():
    assert text_error("é→x", "m", Place(1, 2), Place(3, 3)).message == "2-5,6:m"
