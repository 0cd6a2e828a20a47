# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.trial import End, Record
from ostrya.errors import SysrootError
from ostrya.sysroot.change import undeploy
from ostrya.sysroot.errors import NotBooted
from ostrya.sysroot.ledger import read_ledger
from ostrya.sysroot.trial import identity_of
from ostrya.sysroot.verdict import Verdict, is_on_trial, mark_bad, mark_good, start_once
from support.trial_world import TrialMachine


@pytest.fixture
def machine(tmp_path, no_waiting):
    made = TrialMachine(tmp_path)
    made.first = made.deploy(made.commit("1"))
    made.start()
    yield made
    made.close()


def test_good_where_nothing_is_on_trial(machine):
    assert not mark_good(machine.sysroot, machine.loaded)
    assert read_ledger(machine.sysroot).good == (identity_of(machine.first),)
    assert machine.record() == Record()


def test_good(machine):
    second = machine.deploy(machine.commit("2"))
    loaded = machine.start()
    assert is_on_trial(machine.sysroot, loaded)
    assert mark_good(machine.sysroot, loaded)
    assert not is_on_trial(machine.sysroot, machine.loaded)
    assert machine.record() == Record(identity_of(second), 0, End.OK)


def test_copies_that_differ_are_mended(machine):
    machine.deploy(machine.commit("2"))
    mark_good(machine.sysroot, machine.start())
    (machine.state / "ostrya1.env").write_bytes(b"\0" * 512)
    mark_good(machine.sysroot, machine.loaded)
    assert len({path.read_bytes() for path in machine.state.iterdir()}) == 1


def test_what_a_trial_falls_back_to_stays(machine):
    machine.deploy(machine.commit("2"))
    loaded = machine.start()
    with pytest.raises(SysrootError, match="what runs is on trial, and falls back to it"):
        undeploy(machine.sysroot, loaded, 1)
    mark_good(machine.sysroot, loaded)
    gone, left = undeploy(machine.sysroot, machine.loaded, 1)
    assert gone.is_same(machine.first)
    assert len(left.deployments) == 1


def test_good_needs_something_that_runs(machine):
    machine.sysroot.running = type(machine.sysroot.running)()
    with pytest.raises(NotBooted):
        mark_good(machine.sysroot, machine.loaded)


def test_bad_needs_something_to_fall_back_to(machine):
    with pytest.raises(SysrootError, match="nothing to fall back to"):
        mark_bad(machine.sysroot, machine.loaded, machine.loaded.booted, Verdict(End.MANUAL))


def test_bad_that_is_not_the_default(machine):
    machine.deploy(machine.commit("2"))
    loaded = machine.loaded
    mark_bad(machine.sysroot, loaded, loaded.deployments[1], Verdict(End.MANUAL))
    assert read_ledger(machine.sysroot).find_bad(machine.first.checksum).why == "manual"
    assert machine.record() == Record()


def test_without_rollback(machine):
    machine.configure("ostrya", rollback="none")
    for act in (
        lambda: mark_good(machine.sysroot, machine.loaded),
        lambda: mark_bad(machine.sysroot, machine.loaded, machine.first, Verdict(End.MANUAL)),
    ):
        with pytest.raises(SysrootError, match="is off"):
            act()


def test_once(machine):
    machine.deploy(machine.commit("2"))
    mark_good(machine.sysroot, machine.start())
    loaded = machine.loaded
    start_once(machine.sysroot, loaded, loaded.deployments[1])
    assert machine.start().booted.is_same(machine.first)
    assert machine.kargs.last_value("ostrya.pick") == "once"
    assert not machine.start().booted.is_same(machine.first)


def test_once_of_what_the_loader_does_not_know(machine):
    from ostrya.sysroot.order import Retain

    machine.deploy(machine.commit("2"))
    machine.deploy(machine.commit("3"), retain=Retain(all=True))
    loaded = machine.loaded
    with pytest.raises(SysrootError, match="does not know"):
        start_once(machine.sysroot, loaded, loaded.deployments[1])
    machine.configure("ostrya", rollback="systemd-boot")
    with pytest.raises(SysrootError, match="not what systemd-boot"):
        start_once(machine.sysroot, loaded, loaded.deployments[1])
