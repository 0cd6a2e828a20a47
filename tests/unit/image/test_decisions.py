# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.decisions import Decision, Report, left_out, listed
from ostrya.image.errors import ConversionError


def test_what_was_done_is_told_in_order():
    report = Report()
    report.tell("a.b", "etc/x", "did x")
    report.tell("a.c", "/etc/y", "did y")
    report.check()
    assert report.decisions == [
        Decision("a.b", "/etc/x", "did x"),
        Decision("a.c", "/etc/y", "did y"),
    ]
    assert report.decisions[0]._asdict() == {
        "code": "a.b",
        "path": "/etc/x",
        "sentence": "did x",
    }


def test_all_that_is_in_the_way_is_told_at_once():
    report = Report()
    report.conflict("a", "x", "one", "do this")
    report.conflict("b", "", "two", "do this")
    report.conflict("c", "z", "three", "or that")
    with pytest.raises(ConversionError) as caught:
        report.check()
    assert caught.value.problems == ("one", "two", "three")
    assert caught.value.hint == "do this; or that"


def test_long_lists_are_cut():
    assert listed(["a", "b"]) == "a, b"
    assert listed([*"abcdefg"]) == "a, b, c, d, e and 2 more"


def test_what_is_left_out():
    assert left_out("/var/x") == ("source.left-out", "/var/x", "left out /var/x")
