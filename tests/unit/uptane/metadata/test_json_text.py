# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid, MetadataTooLarge
from ostrya.uptane.metadata.json_text import MAX_DEPTH, check_string, parse_json


def parse(data: bytes, limit: int = 1 << 20):
    return parse_json(data, limit, "it")


def test_values():
    assert parse(b'{"a": [1, -2, null, true, "\\u00e9"], "b": {}}') == {
        "a": [1, -2, None, True, "é"], "b": {},
    }  # fmt: skip


def test_size_is_looked_at_first():
    with pytest.raises(MetadataTooLarge, match="it has more than 3 bytes"):
        parse(b"not json", 3)


@pytest.mark.parametrize(
    "data", [b"[" * 1_000_000, b'{"a":' * 100_000, b"[[" * (MAX_DEPTH // 2) + b"["]
)
def test_depth_is_looked_at_before_parsing(data):
    with pytest.raises(MetadataTooLarge, match="nested more than"):
        parse(data)


def test_brackets_in_text_are_no_depth():
    text = "[{" * 200
    assert parse(f'["{text}", "\\"[[["]'.encode()) == [text, '"[[[']


def test_many_strings_without_end_are_looked_at_once():
    with pytest.raises(MetadataInvalid):
        parse(b'"' + b'\\"' * 400_000)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a": 1, "a": 2}', "the key 'a' comes twice"),
        (b"1.5", "no integer"),
        (b"1e3", "no integer"),
        (b"NaN", "no integer"),
        (b"-Infinity", "no integer"),
        (b"9223372036854775808", "64 bits"),
        (b"1" * 5000, "64 bits"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        (b'"\xff"', "not UTF-8"),
        (b'"\\ud800"', "half a character"),
        ('"e\u0301"'.encode(), "Normalization Form C"),
        (b"{", "no JSON"),
        (b"", "no JSON"),
        (b"{} x", "no JSON"),
    ],
)  # fmt: skip
def test_what_could_be_understood_twice(data, why):
    with pytest.raises(MetadataInvalid, match=why):
        parse(data)


def test_the_largest_numbers():
    assert parse(b"[9223372036854775807,-9223372036854775808]") == [2**63 - 1, -(2**63)]


def test_a_string():
    check_string("é", "it")
    with pytest.raises(MetadataInvalid, match="Normalization Form C"):
        check_string("e\u0301", "it")
