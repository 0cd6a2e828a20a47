# SPDX-License-Identifier: Apache-2.0
"""Headers of answers."""

from __future__ import annotations

import pytest

from ostrya.fetch.answer import (
    ContentRange,
    Header,
    format_date,
    is_strong_tag,
    parse_content_range,
    parse_date,
    parse_status,
)


def test_the_last_header_counts():
    lines = [
        b"HTTP/1.1 100 Continue\r\n",
        b"\r\n",
        b"HTTP/1.1 302 Found\r\n",
        b'ETag: "redirect"\r\n',
        b"Location: /x\r\n",
        b"\r\n",
        b"HTTP/2 206 \r\n",
        b'eTAG:   "1"  \r\n',
        b"LAST-modified: Sat, 01 Aug 2026 12:00:00 GMT\r\n",
        b"content-range: bytes 5-9/10\r\n",
        b"Content-Encoding: GZIP\r\n",
        b"no colon\r\n",
        b"\r\n",
    ]
    assert Header.parse(lines) == Header(206, '"1"', 1785585600, ContentRange(5, 9, 10), "gzip")


def test_no_header():
    assert Header.parse([]) == Header()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n", 200),
        (b"HTTP/2 404 \r\n", 404),
        (b"HTTP/1.1 20\r\n", 0),
        (b"HTTP/1.1 2000 x", 0),
        (b"HTTP/1.1 -20 x", 0),
        (b"HTTP/1.1", 0),
        (b"", 0),
    ],
)
def test_statuses(line, status):
    assert parse_status(line) == status


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bytes 0-0/1", ContentRange(0, 0, 1)),
        ("bytes 5-9/*", ContentRange(5, 9, None)),
        ("bytes 9-5/10", None),
        ("bytes 5-10/10", None),
        ("bytes */10", None),
        ("bytes -5-9/10", None),
        ("lines 5-9/10", None),
        ("bytes 5-9/10 ", None),
        (f"bytes 0-{'9' * 19}/*", None),
        ("", None),
    ],
)
def test_content_ranges(text, found):
    assert parse_content_range(text) == found


@pytest.mark.parametrize("timestamp", [0, 1, 951782400, 1785585600, 4102444800])
def test_dates(timestamp):
    assert parse_date(format_date(timestamp)) == timestamp


def test_a_leap_second():
    assert parse_date("Sat, 31 Dec 2016 23:59:60 GMT") == 1483228800


def test_a_date():
    assert format_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
     "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
     "Sun, 06 Nov 1894 08:49:37 GMT"],
)  # fmt: skip
def test_no_dates(text):
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("tag", "strong"),
    [('"a"', True), ('""', True), ('W/"a"', False), ("a", False), ('"a', False), (None, False),
     ('"a"b"', False), ('"a\r"', False)],
)  # fmt: skip
def test_strong_tags(tag, strong):
    assert is_strong_tag(tag) is strong


@pytest.mark.parametrize(
    ("said", "pause_s"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("1e9", 0.0),
    ],
)
def test_how_long_a_server_asks_to_wait(said, pause_s):
    header = Header.parse([b"HTTP/1.1 503 Busy\r\n", f"Retry-After: {said}\r\n".encode()])
    assert header.pause_s(1000.0) == pause_s
    assert Header.parse([b"HTTP/1.1 503 Busy\r\n"]).pause_s(1000.0) == 0.0
