# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.fields import Fields, format_time, parse_time


def test_what_is_not_taken_is_kept():
    fields = Fields({"a": "x", "b": 1, "c": True, "d": {}, "e": ["1", "2"], "z": 9}, "it")
    taken = (
        fields.text("a"), fields.integer("b"), fields.boolean("c"), fields.mapping("d"),
        fields.texts("e", 2),
    )  # fmt: skip
    assert taken == ("x", 1, True, {}, ("1", "2"))
    assert fields.rest() == {"z": 9}
    assert fields.has("z")
    assert not fields.has("a")


@pytest.mark.parametrize(
    ("take", "why"),
    [
        (lambda f: f.take("none"), "it has no 'none'"),
        (lambda f: f.text("number"), "'number' of it is no text"),
        (lambda f: f.integer("text"), "no integer"),
        (lambda f: f.integer("true"), "no integer"),
        (lambda f: f.integer("number", 8), "7, not from 8"),
        (lambda f: f.boolean("number"), "neither true nor false"),
        (lambda f: f.mapping("text"), "no object"),
        (lambda f: f.array("text", 1), "no list"),
        (lambda f: f.array("list", 2), "more than 2"),
        (lambda f: f.texts("list", 9), "other things than text"),
        (lambda f: f.texts("twice", 9), "says something twice"),
        (lambda f: f.time("text"), "no time"),
    ],
)
def test_what_is_not_as_it_has_to_be(take, why):
    fields = Fields(
        {"number": 7, "text": "x", "true": True, "list": [1, 2, 3], "twice": ["a", "a"]}, "it"
    )
    with pytest.raises(MetadataInvalid, match=why):
        take(fields)


def test_no_object():
    with pytest.raises(MetadataInvalid, match="it is no object"):
        Fields([], "it")


def test_a_moment():
    moment = datetime(2026, 11, 30, 12, 0, 5, tzinfo=UTC)
    assert parse_time("2026-11-30T12:00:05Z", "it") == moment
    assert format_time(moment) == "2026-11-30T12:00:05Z"
    assert format_time(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30T12:00:00", "2026-11-30T12:00:00+00:00", "2026-11-30 12:00:00Z",
        "2026-13-30T12:00:00Z", "2026-11-30T12:00:60Z ", "٢026-11-30T12:00:00Z", "2026-1-030T12:00:00Z",
    ],
)  # fmt: skip
def test_no_moment(text):
    with pytest.raises(MetadataInvalid, match="no time like"):
        parse_time(text, "it")
