# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.domain import readings
from ostrya.fleet.domain.readings import Readings
from ostrya.uptane.steps import Repository

DIRECTOR, IMAGE = Repository.DIRECTOR, Repository.IMAGE


def test_a_device_reads_to_the_end_what_it_began_with():
    found = Readings()
    assert found.file("a", IMAGE, "x", 0.0) is None
    found.begin("a", IMAGE, {"x": b"1"}, 0.0)
    found.begin("b", IMAGE, {"x": b"2"}, 1.0)
    assert found.file("a", IMAGE, "x", 5.0) == b"1"
    assert found.file("b", IMAGE, "x", 5.0) == b"2"
    assert found.file("a", DIRECTOR, "x", 5.0) is None
    assert found.file("a", IMAGE, "y", 5.0) is None
    assert found.file("a", IMAGE, "x", readings.KEPT_S + 1) is None


def test_few_are_kept(monkeypatch):
    monkeypatch.setattr(readings, "_MAX_READINGS", 2)
    found = Readings()
    for name in "abc":
        found.begin(name, IMAGE, {"x": b"1"}, 0.0)
    assert [found.file(name, IMAGE, "x", 0.0) for name in "abc"] == [None, b"1", b"1"]
