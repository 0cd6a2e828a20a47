# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.trial import End, Record
from ostrya.sysroot.ledger import Ledger
from ostrya.sysroot.order import Retain
from ostrya.sysroot.trial import FIELD, identity_of, plan_trial
from ostrya.sysroot.verdict import mark_good
from ostrya.sysroot.write_deployments import write_deployments
from support.trial_world import TrialMachine


@pytest.fixture
def machine(tmp_path, no_waiting):
    made = TrialMachine(tmp_path)
    yield made
    made.close()


def uenv(machine):
    text = (machine.root / "boot/loader/uEnv.txt").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if line)


def test_the_first_is_not_on_trial(machine):
    first = machine.deploy(machine.commit("1"))
    assert identity_of(first).startswith(f"{first.checksum[:12]}.0-")
    plan = plan_trial(machine.sysroot, machine.loaded.deployments)
    assert (plan.trial.on_trial, plan.trial.fallback, plan.fallback) == (False, None, None)
    assert uenv(machine)["dep_id"] == identity_of(first)
    assert "dep_trial" not in uenv(machine)


def test_the_second_is(machine):
    first = machine.deploy(machine.commit("1"))
    machine.start()
    second = machine.deploy(machine.commit("2"))
    found = uenv(machine)
    assert found["dep_id"] == identity_of(second)
    assert found["dep_id2"] == identity_of(first)
    assert (found["dep_trial"], found["dep_tries"]) == ("1", "xxx")
    assert machine.entries()["ostree-2.conf"].count(f"{FIELD} {identity_of(second)}\n") == 1


def test_an_identity_stays_what_it_is(machine):
    first = machine.deploy(machine.commit("1"))
    machine.start()
    machine.deploy(machine.commit("2"))
    assert identity_of(machine.loaded.deployments[1]) == identity_of(first)


def test_the_same_commit_again_is_somebody_else(machine):
    """Same kernel, same arguments, same version: without the identity the loader's file stayed."""
    commit = machine.commit("1")
    machine.deploy(commit)
    machine.start()
    second = machine.deploy(commit)
    assert uenv(machine)["dep_id"] == identity_of(second)
    assert uenv(machine)["dep_trial"] == "1"


def test_the_running_one_is_the_fallback_wherever_it_is(machine):
    first = machine.deploy(machine.commit("1"))
    machine.start()
    machine.deploy(machine.commit("2"))
    third = machine.deploy(machine.commit("3"), retain=Retain(all=True))
    assert [one.booted for one in machine.loaded.deployments] == [False, False, True]
    found = uenv(machine)
    assert (found["dep_id"], found["dep_id2"]) == (identity_of(third), identity_of(first))
    assert f"ostree={machine.loaded.deployments[2].entry.boot_link}" in found["bootargs2"]
    assert "kernel_image3" in found


@pytest.mark.parametrize("good", [True, False])
def test_without_one_running_a_good_one_is(machine, good):
    machine.deploy(machine.commit("1"))
    machine.deploy(machine.commit("2"), retain=Retain(all=True))
    machine.deploy(machine.commit("3"), retain=Retain(all=True))
    deployments = machine.loaded.deployments
    ledger = Ledger((identity_of(deployments[2]),) if good else ())
    assert plan_trial(machine.sysroot, deployments, ledger).fallback == (2 if good else 1)


def test_a_bad_one_is_no_fallback(machine):
    from ostrya.sysroot.ledger import BadRelease

    machine.deploy(machine.commit("1"))
    machine.deploy(machine.commit("2"))
    deployments = machine.loaded.deployments
    ledger = Ledger(bad=(BadRelease(deployments[1].checksum, "", "tries"),))
    plan = plan_trial(machine.sysroot, deployments, ledger)
    assert (plan.fallback, plan.trial.on_trial) == (None, False)


def test_a_good_one_is_on_trial_no_more(machine):
    machine.deploy(machine.commit("1"))
    machine.start()
    machine.deploy(machine.commit("2"))
    loaded = machine.start()
    assert mark_good(machine.sysroot, loaded)
    write_deployments(machine.sysroot, loaded, loaded.deployments[::-1])
    write_deployments(machine.sysroot, machine.loaded, machine.loaded.deployments[::-1])
    assert "dep_trial" not in uenv(machine)


def test_what_is_wanted_again_is_started_again(machine):
    machine.deploy(machine.commit("1"))
    machine.start()
    second = machine.deploy(machine.commit("2"))
    bad = Record(identity_of(second), 0, End.TRIES)
    from ostrya._linux.dirfd import open_dir
    from ostrya.boot.trial_store import UBootFiles

    UBootFiles(open_dir(str(machine.state))).write(bad)
    loaded = machine.loaded
    swapped = write_deployments(machine.sysroot, loaded, loaded.deployments[::-1])
    assert machine.record() == bad
    write_deployments(machine.sysroot, swapped, swapped.deployments[::-1])
    assert machine.record() == Record()


def test_without_rollback_there_is_nothing_of_it(machine):
    machine.configure("ostrya", rollback="none")
    first = machine.deploy(machine.commit("1"))
    machine.deploy(machine.commit("2"))
    assert identity_of(first) == ""
    assert not any(key.startswith("dep_") for key in uenv(machine))
    assert FIELD not in "".join(machine.entries().values())
