# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.steps import Accepted, Repository, Wanted, run_steps
from support.uptane_world import Client, make_world


def test_what_is_wanted_is_sent_and_what_is_accepted_is_kept():
    trusted = Client(make_world()).trusted(Repository.IMAGE)
    kept = []

    def verification():
        first = yield Wanted(Repository.IMAGE, "a", 1)
        nothing = yield Accepted(Repository.IMAGE, trusted)
        second = yield Wanted(Repository.IMAGE, "b", 1, may_be_absent=True)
        return first, nothing, second

    files = {"a": b"1"}
    result = run_steps(verification(), lambda wanted: files.get(wanted.file), kept.append)
    assert result == (b"1", None, None)
    assert [one.trusted for one in kept] == [trusted]


def test_names_in_sentences():
    assert [one.shown for one in Repository] == ["Director", "Image repository"]
