# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.checksum import Checksum
from ostrya.sysroot.ledger import PATH, BadRelease, Complaint, Ledger, read_ledger, write_ledger

ONE, TWO = "a" * 12 + ".0-0000", "b" * 12 + ".0-0000"
BAD = BadRelease(Checksum("a" * 64), ONE, "health", "x: y", 7)


def test_there_and_back(machine):
    assert read_ledger(machine.sysroot) == Ledger()
    ledger = Ledger((ONE, TWO), (BAD,), BAD, Complaint(ONE, "y: z"))
    write_ledger(machine.sysroot, ledger)
    assert read_ledger(machine.sysroot) == ledger


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"good": 1, "bad": {"a": 1}}', '{"good": [1, "x"], "bad": [[], {"checksum": "x"}]}',
     '{"last": 3}', '{"complaint": {"identity": 3}}', "[" * 100_000],
    ids=["empty", "list", "half", "kinds", "items", "last", "complaint", "deep"],
)  # fmt: skip
def test_what_cannot_be_understood_says_nothing(machine, text):
    write_ledger(machine.sysroot, Ledger())
    (machine.root / PATH).write_text(text)
    assert read_ledger(machine.sysroot) == Ledger()


def test_good_and_bad_take_each_others_place():
    ledger = Ledger().with_good(ONE, BAD.checksum).with_bad(BAD)
    assert (ledger.good, ledger.bad, ledger.last) == ((), (BAD,), BAD)
    ledger = ledger.with_good(ONE, BAD.checksum)
    assert (ledger.good, ledger.bad, ledger.last) == ((ONE,), (), BAD)


def test_a_complaint_is_of_one_deployment_and_ends_with_its_trial():
    ledger = Ledger(complaint=Complaint(ONE, "y: z"))
    assert (ledger.words_of(ONE), ledger.words_of(TWO)) == ("y: z", "")
    assert ledger.with_good(ONE, BAD.checksum).words_of(ONE) == ""
    assert ledger.with_bad(BAD).words_of(ONE) == ""


def test_one_of_a_commit():
    again = BAD._replace(identity=TWO, why="tries")
    ledger = Ledger().with_bad(BAD).with_bad(again)
    assert ledger.bad == (again,)
    assert ledger.find_bad(BAD.checksum) == again
    assert ledger.forgiving(BAD.checksum).find_bad(BAD.checksum) is None


def test_it_does_not_grow_for_ever():
    ledger = Ledger()
    for number in range(100):
        ledger = ledger.with_good(f"{number:012x}.0-0000", "")
        ledger = ledger.with_bad(BadRelease(Checksum(f"{number:064x}"), "", "tries"))
    assert (len(ledger.good), len(ledger.bad)) == (64, 64)
    assert ledger.find_bad(f"{99:064x}") is not None


@pytest.mark.parametrize("why", ["tries", "load", "health", "manual", "unwritable", "else"])
def test_a_sentence(why):
    assert BAD._replace(why=why).describe().endswith(": x: y")
    assert BAD._replace(why=why, detail="").describe()


def test_long_words_do_not_make_it_forget(machine):
    ledger = Ledger()
    for number in range(64):
        one = BadRelease(Checksum(f"{number:064x}"), "", "health", "\U0001f4a5" * 20_000)
        ledger = ledger.with_bad(one)
    write_ledger(machine.sysroot, ledger)
    found = read_ledger(machine.sysroot)
    assert len(found.bad) == 64
    assert len(found.bad[0].detail) == 1000


def test_what_a_terminal_would_obey_is_not_shown(machine):
    bad = BAD._replace(detail="a\x1b[2Jb\nc")
    write_ledger(machine.sysroot, Ledger().with_bad(bad))
    assert read_ledger(machine.sysroot).bad[0].detail == "a [2Jb c"
