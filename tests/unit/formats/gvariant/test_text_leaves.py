# SPDX-License-Identifier: Apache-2.0
"""Numbers, strings and byte strings of variant text."""

from __future__ import annotations

import math

import pytest

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.text_leaves import (
    is_double,
    read_bytes,
    read_double,
    read_integer,
    read_string,
)


def sentence(read, token: str) -> str:
    with pytest.raises(GVariantError) as caught:
        read(token, token, 0)
    return caught.value.message


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("0", 0), ("5", 5), ("+5", 5), ("-5", -5), ("-0", 0), ("00", 0), ("010", 8), ("-010", -8),
        ("0x10", 16), ("0XfF", 255), ("-0x10", -16), ("18446744073709551615", 2**64 - 1),
        ("000000000000000000000000000000000001", 1),
    ],
)  # fmt: skip
def test_integers(token, value):
    assert read_integer(token, token, 0) == value


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("08", "1-2:invalid character in number"),
        ("1a", "1-2:invalid character in number"),
        ("0x", "1-2:invalid character in number"),
        ("0b1", "1-2:invalid character in number"),
        ("-", "0-1:invalid character in number"),
        ("--1", "1-2:invalid character in number"),
        ("5.5", "1-2:invalid character in number"),
        ("18446744073709551616", "0-20:integer too big for any type"),
        ("9" * 10_000, "0-10000:integer too big for any type"),
    ],
)
def test_no_integers(token, message):
    assert sentence(read_integer, token) == message


@pytest.mark.parametrize(
    ("token", "value"),
    [("5", 5.0), ("1.", 1.0), (".5", 0.5), ("-5.0e3", -5000.0), ("+.5e-3", 0.0005), ("0x10", 16.0),
     ("0x1.8", 1.5), ("0x1p4", 16.0), ("inf", math.inf), ("-INF", -math.inf), ("infinity", math.inf)],
)  # fmt: skip
def test_doubles(token, value):
    assert read_double(token, token, 0) == value


def test_nan():
    assert math.isnan(read_double("nan", "nan", 0))


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("1e400", "0-5:number too big for any type"),
        ("-1e400", "0-6:number too big for any type"),
        ("0x1p99999", "0-9:number too big for any type"),
        ("1.2.3", "3-4:invalid character in number"),
        ("1e", "1-2:invalid character in number"),
        (".", "0-1:invalid character in number"),
        ("inf1", "3-4:invalid character in number"),
        ("1_0", "1-2:invalid character in number"),
        ("١", "0-2:invalid character in number"),
    ],
)
def test_no_doubles(token, message):
    assert sentence(read_double, token) == message


@pytest.mark.parametrize(
    ("token", "double"),
    [("1", False), ("0x1e5", False), ("1e5", True), ("1.", True), ("-inf", True), ("nan", True)],
)
def test_what_can_only_be_a_double(token, double):
    assert is_double(token) is double


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("''", ""),
        ("'a b'", "a b"),
        ('"it\'s"', "it's"),
        (r"'\a\b\f\n\r\t\v'", "\a\b\f\n\r\t\v"),
        (r"'\u00e9\U0001f600'", "é😀"),
        (r"'\q\\\'\0\x41'", "q\\'0x41"),
        ("'a\\\nb'", "ab"),
    ],
)
def test_strings(token, value):
    assert read_string(token, token, 0) == value


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("'abc", "0-4:unterminated string constant"),
        ("'", "0-1:unterminated string constant"),
        ("'a\\", "0-3:unterminated string constant"),
        ("'a\\'", "0-4:unterminated string constant"),
        (r"'\u12'", "3-5:invalid 4-character unicode escape"),
        (r"'\u0000'", "3-7:invalid 4-character unicode escape"),
        (r"'\ud800'", "3-7:invalid 4-character unicode escape"),
        (r"'\U00110000'", "3-11:invalid 8-character unicode escape"),
        (r"'\u+123'", "3:invalid 4-character unicode escape"),
    ],
)
def test_no_strings(token, message):
    assert sentence(read_string, token) == message


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("b''", b"\0"),
        ("b'ab'", b"ab\0"),
        ('b"it\'s"', b"it's\0"),
        (r"b'\101\377\7\n\q\\'", b"A\xff\x07\nq\\\0"),
        ("b'a\\\nb'", b"ab\0"),
        ("b'é'", b"\xc3\xa9\0"),
        (r"b'a\0b'", b"a\0"),
        (r"b'\777'", b"\xff\0"),
        (r"b'\1011'", b"A1\0"),
    ],
)
def test_bytes(token, value):
    assert read_bytes(token, token, 0) == value


@pytest.mark.parametrize("token", ["b'abc", "b'", "b'a\\", "b'a\\'"])
def test_no_bytes(token):
    assert sentence(read_bytes, token) == f"0-{len(token)}:unterminated string constant"
