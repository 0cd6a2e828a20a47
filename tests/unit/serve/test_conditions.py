# SPDX-License-Identifier: Apache-2.0
"""All, a part, or word that nothing has changed."""

from __future__ import annotations

import pytest

from ostrya.serve.conditions import Extent, Version, choose_extent, http_date, parse_range

VERSION = Version(100, 1785585600, '"tag"')
DATE = "Sat, 01 Aug 2026 12:00:00 GMT"
EARLIER, LATER = DATE.replace("12:00:00", "11:59:59"), DATE.replace("12:00:00", "12:00:01")
ALL, PART, SAME = Extent(200, 0, 100), Extent(206, 10, 10), Extent(304, 0, 0)


def test_dates():
    assert http_date(1785585600) == DATE


@pytest.mark.parametrize(
    ("text", "extent"),
    [
        ("bytes=0-", Extent(206, 0, 100)),
        ("bytes=0-0", Extent(206, 0, 1)),
        ("BYTES=10-19", PART),
        ("bytes= 10-19 ", PART),
        ("bytes=99-1000", Extent(206, 99, 1)),
        ("bytes=-1", Extent(206, 99, 1)),
        ("bytes=-1000", Extent(206, 0, 100)),
        ("bytes=100-", Extent(416, 0, 0)),
        ("bytes=100-200", Extent(416, 0, 0)),
        ("bytes=-0", Extent(416, 0, 0)),
        ("bytes=19-10", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=a-b", None),
        ("bytes=+1-2", None),
        ("bytes=1-2,5-6", None),
        ("lines=1-2", None),
        (f"bytes={'9' * 19}-", None),
        ("", None),
    ],
)
def test_ranges(text, extent):
    assert parse_range(text, 100) == extent


@pytest.mark.parametrize("text", ["bytes=0-", "bytes=-5", "bytes=0-0"])
def test_ranges_of_nothing(text):
    assert parse_range(text, 0) == Extent(416, 0, 0)


@pytest.mark.parametrize(
    ("fields", "extent"),
    [
        ({}, ALL),
        ({"if-none-match": '"tag"'}, SAME),
        ({"if-none-match": 'W/"tag"'}, SAME),
        ({"if-none-match": '"other", "tag"'}, SAME),
        ({"if-none-match": "*"}, SAME),
        ({"if-none-match": '"other"'}, ALL),
        ({"if-none-match": "tag"}, ALL),
        ({"if-modified-since": DATE}, SAME),
        ({"if-modified-since": LATER}, SAME),
        ({"if-modified-since": EARLIER}, ALL),
        ({"if-modified-since": "yesterday"}, ALL),
        ({"if-modified-since": ""}, ALL),
        # A tag says more than a date.
        ({"if-none-match": '"other"', "if-modified-since": LATER}, ALL),
        ({"range": "bytes=10-19"}, PART),
        ({"range": "bytes=1-2,5-6"}, ALL),
        ({"range": "bytes=10-19", "if-range": '"tag"'}, PART),
        ({"range": "bytes=10-19", "if-range": '"other"'}, ALL),
        ({"range": "bytes=10-19", "if-range": 'W/"tag"'}, ALL),
        ({"range": "bytes=10-19", "if-range": DATE}, PART),
        ({"range": "bytes=10-19", "if-range": LATER}, ALL),
        ({"range": "bytes=10-19", "if-range": "nonsense"}, ALL),
        ({"range": "bytes=10-19", "if-none-match": '"tag"'}, SAME),
        ({"range": "bytes=200-"}, Extent(416, 0, 0)),
    ],
)
def test_choices(fields, extent):
    assert choose_extent(VERSION, "GET", fields) == extent


def test_ranges_are_for_get():
    assert choose_extent(VERSION, "HEAD", {"range": "bytes=10-19"}) == ALL
    assert choose_extent(VERSION, "HEAD", {"if-none-match": '"tag"'}) == SAME


@pytest.mark.parametrize("text", ["Mon, 99 Xxx 99999999999 99:99:99 GMT", "0", "1 2 3 4 5 6 7"])
def test_senseless_dates(text):
    assert choose_extent(VERSION, "GET", {"if-modified-since": text}).status in {200, 304}
