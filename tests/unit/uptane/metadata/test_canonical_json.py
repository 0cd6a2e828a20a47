# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.uptane.metadata.canonical_json import ascii_bytes, canonical_bytes
from ostrya.uptane.metadata.dialect import Dialect

VALUE = {"b": [1, None, True, False], "a": {"é": '\n/"\\\t\x7f'}}


def test_uptane_is_sorted_short_and_ascii():
    expected = rb'{"a":{"\u00e9":"\n/\"\\\t' + b"\x7f" + rb'"},"b":[1,null,true,false]}'
    assert canonical_bytes(Dialect.UPTANE, VALUE) == expected
    assert json.loads(expected) == VALUE


def test_tuf_escapes_two_characters_only():
    expected = '{"a":{"é":"\n/\\"\\\\\t\x7f"},"b":[1,null,true,false]}'.encode()
    assert canonical_bytes(Dialect.TUF, VALUE) == expected


@pytest.mark.parametrize(
    "text", ["\x7f", "\\u007f", "\\\x7f", "\x7f\x7f", "a\x7f\\\x7f", "\\\\u007f"]
)
def test_delete_is_left_as_it_is(text):
    written = ascii_bytes(text)
    assert json.loads(written) == text
    assert written.count(b"\x7f") == text.count("\x7f")


def test_names_are_sorted_by_their_bytes():
    assert ascii_bytes({"b": 1, "B": 2, "é": 3, "aa": 4, "a": 5}).decode() == (
        r'{"B":2,"a":5,"aa":4,"b":1,"\u00e9":3}'
    )
