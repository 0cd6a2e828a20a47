# SPDX-License-Identifier: Apache-2.0
"""Dates in free form; where ``date`` is installed it is asked too."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from ostrya.cli.datetimes import parse_datetime
from ostrya.cli.errors import UsageError

# 2023-11-14 22:13:20 UTC, a Tuesday.
NOW = 1700000000
DAY = 86400


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def zone(request, monkeypatch):
    yield from _in_zone(request.param, monkeypatch)


@pytest.fixture
def utc(monkeypatch):
    yield from _in_zone("UTC", monkeypatch)


def _in_zone(name, monkeypatch):
    monkeypatch.setenv("TZ", name)
    time.tzset()
    yield name
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@0", 0),
        ("@1234567890", 1234567890),
        ("@-1.5", -2),
        ("@1.9", 1),
        ("2005-10-29 12:43:29 +0000", 1130589809),
        ("2005-10-29T12:43:29Z", 1130589809),
        ("Sat, 29 Oct 2005 12:43:29 +0000", 1130589809),
        ("Sat Oct 29 12:43:29 UTC 2005", 1130589809),
        ("20051029 12:43:29 UTC", 1130589809),
        ("2005-10-29T14:43:29+02:00", 1130589809),
        ("2005-10-29 05:43:29 PDT", 1130589809),
    ],
)
def test_absolute(text, expected, zone):
    assert parse_datetime(text, now=NOW) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("today", NOW),
        ("yesterday", NOW - DAY),
        ("tomorrow", NOW + DAY),
        ("2 days ago", NOW - 2 * DAY),
        ("1 week ago", NOW - 7 * DAY),
        ("last week", NOW - 7 * DAY),
        ("a fortnight ago", None),
        ("fortnight ago", NOW - 14 * DAY),
        ("-90 minutes", NOW - 5400),
        ("next friday", 1700179200),
        ("tuesday", 1699920000),
        ("2 hours ago", NOW - 7200),
        ("yesterday 12:00", 1699876800),
        ("2023-11-14", 1699920000),
        ("nov 14", 1699920000),
        ("11/14/2023 5pm", 1699920000 + 17 * 3600),
        ("2023-01-31 +1 month", 1677801600),
    ],
)
def test_relative_to_now(text, expected, utc):
    if expected is None:
        with pytest.raises(UsageError):
            parse_datetime(text, now=NOW)
    else:
        assert parse_datetime(text, now=NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "foo",
            "2005-13-01",
            "2005-02-29",
            "24:00",
            "12:60",
            "23:59:60",
            "12:00 13:00",
            "@",
            "@x",
        ),
        *("2005-10-29 foo", "last", "ago", "jan", "1999-1-1 1999-1-2", "13pm", "mon tue", "@1 2"),
    ],
)
def test_nonsense(text, utc):
    with pytest.raises(UsageError) as caught:
        parse_datetime(text, now=NOW)
    assert caught.value.message == f"Could not parse '{text}'"


def test_a_clock_time_that_summer_time_skips(monkeypatch):
    for _ in _in_zone("Europe/Berlin", monkeypatch):
        with pytest.raises(UsageError):
            parse_datetime("2005-03-27 02:30", now=NOW)


_PEER_LINES = """
2005-10-29|2005-10-29T12:43:29+02:00|051029|29 October 2005 5pm|Oct 29, 2005 17:04|29-OCT-2005
OCT-29-2005|10/29/05|2005/10/29|now|3 fortnights ago|next friday|last monday|this friday|2 monday
12:43 pm|12am|5 am|2005-10-29 +1 day|2005-10-29 12:00 UTC +1 day|2005-10-29 12:00 UTC+02:30
2005-10-29 - 1 day|2005-10-29 1 month ago|tomorrow 00:00|+3 hours|1.5 seconds ago|1.5 days ago
Tues|sept. 5 2010|2005|123|12345|2005-10-29 12:43:29,5|third day|eighth week ago|week ago|year
12:00 CET|2005-10-29 12:00 +0530|2005-10-29 12:00 -08|2005-10-29 12:00 +25|(comment) 12:00||12 +0200
Jan 31 +1 month|2004-02-29 +1 year|2005-10-30 02:30|1 Jan 70|1 jan 68|2038-01-20|2 days hence
12:43 +2 days|2 years 3 months ago|70-1-1|next day|now - 1 hour|20051029T124329Z|fri 5pm|1days ago
5pm yesterday|2005-10-29 5 p.m.|2005-10-29 17:00 a.m.|0am|noon|1969-12-31 23:59:59 UTC
"""
_PEER_TEXTS = [text for line in _PEER_LINES.strip().splitlines() for text in line.split("|")]


@pytest.mark.peer
def test_as_date_does(zone):
    """Ask ``date`` about each text; a second may pass between its clock and ours."""
    wrong = {}
    for text in _PEER_TEXTS:
        now = int(time.time())
        asked = subprocess.run(
            ["date", "-d", text, "+%s"],
            capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        expected = int(asked.stdout) if asked.returncode == 0 else None
        try:
            found = parse_datetime(text, now=now)
        except UsageError:
            found = None
        if (expected is None) != (found is None) or (found and abs(found - expected) > 2):
            wrong[text] = (expected, found)
    assert not wrong
