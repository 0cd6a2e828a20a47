# SPDX-License-Identifier: Apache-2.0
"""Whole stories, with the real boot script in the loader's place."""

from __future__ import annotations

import pytest

from ostrya.boot.trial import End, Record
from ostrya.sysroot.ledger import read_ledger
from ostrya.sysroot.trial import identity_of
from ostrya.sysroot.verdict import Verdict, mark_bad, mark_good, note_complaint
from support.trial_world import NOW, begun_machine, running, settled


@pytest.fixture
def machine(tmp_path, no_waiting):
    yield from begun_machine(tmp_path)


def test_a_release_that_does_not_come_up(machine):
    second = machine.deploy(machine.commit("2"))
    for _ in range(3):
        machine.start()
        assert running(machine).is_same(second)
        assert settled(machine) is None
    machine.start()
    assert running(machine).is_same(machine.first)
    bad = settled(machine)
    assert (bad.checksum, bad.why, bad.time) == (second.checksum, "tries", NOW)
    assert machine.loaded.deployments[0].is_same(machine.first)
    machine.start()
    assert (running(machine), settled(machine)) == (machine.loaded.deployments[0], None)
    assert machine.kargs.last_value("ostrya.pick") is None
    assert read_ledger(machine.sysroot).last == bad


def test_a_kernel_that_cannot_be_loaded(machine):
    second = machine.deploy(machine.commit("2"))
    machine.missing.add(f"/boot{second.entry.fields['linux']}")
    machine.start()
    assert running(machine).is_same(machine.first)
    assert settled(machine).why == "load"


def test_a_record_that_cannot_be_written(machine):
    machine.deploy(machine.commit("2"))
    machine.writable = False
    machine.start()
    assert running(machine).is_same(machine.first)
    assert settled(machine).why == "unwritable"
    machine.writable = True
    machine.start()
    assert running(machine) is not None
    assert machine.loaded.deployments[0].is_same(machine.first)


def test_a_good_release_stays(machine):
    second = machine.deploy(machine.commit("2"))
    assert mark_good(machine.sysroot, machine.start())
    assert not mark_good(machine.sysroot, machine.loaded)
    for _ in range(5):
        machine.start()
        assert running(machine).is_same(second)
    assert machine.record() == Record(identity_of(second), 0, End.OK)


def test_what_failed_in_the_starts_is_said_of_a_release_that_did_not_come_up(machine):
    machine.deploy(machine.commit("2"))
    for words in ("no network", "no network", "no screen"):
        note_complaint(machine.sysroot, machine.start(), words)
        assert settled(machine) is None
    machine.start()
    assert running(machine).is_same(machine.first)
    bad = settled(machine)
    assert (bad.why, bad.detail) == ("tries", "no screen")
    assert read_ledger(machine.sysroot).complaint is None


def test_what_a_failed_release_said_of_itself_is_kept(machine):
    second = machine.deploy(machine.commit("2"))
    loaded = machine.start()
    mark_bad(machine.sysroot, loaded, loaded.booted, Verdict(End.HEALTH, "no network", 5))
    machine.start()
    assert running(machine).is_same(machine.first)
    bad = settled(machine)
    assert (bad.checksum, bad.why, bad.detail, bad.time) == (
        second.checksum,
        "health",
        "no network",
        5,
    )


def test_a_second_bad_release_right_after_the_first(machine):
    for version in "23":
        machine.deploy(machine.commit(version))
        for _ in range(4):
            machine.start()
        assert running(machine).is_same(machine.first)
        assert settled(machine).why == "tries"
        assert machine.loaded.deployments[0].is_same(machine.first)
    assert len(read_ledger(machine.sysroot).bad) == 2


def test_somebodys_choice_is_nobodys_failure(machine):
    machine.deploy(machine.commit("2"))
    machine.run(1)
    assert settled(machine) is None


def test_both_copies_lost_in_a_trial(machine):
    second = machine.deploy(machine.commit("2"))
    machine.start()
    for path in machine.state.iterdir():
        path.write_bytes(b"\0" * 512)
    for _ in range(3):
        machine.start()
        assert running(machine).is_same(second)
    machine.start()
    assert running(machine).is_same(machine.first)


def test_power_fails_before_it_is_settled(machine):
    machine.deploy(machine.commit("2"))
    for _ in range(4):
        machine.start()
    for _ in range(2):
        machine.start()
        assert running(machine).is_same(machine.first)
    assert settled(machine).why == "tries"


def test_without_rollback(machine):
    machine.configure("ostrya", rollback="none")
    assert settled(machine) is None
