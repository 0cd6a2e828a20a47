# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sysroot.admission import require_admissible
from ostrya.sysroot.errors import ReleaseKnownBad, TrialPending
from ostrya.sysroot.ledger import read_ledger
from ostrya.sysroot.settle import settle
from ostrya.sysroot.verdict import mark_good
from support.trial_world import TrialMachine


@pytest.fixture
def machine(tmp_path, no_waiting):
    made = TrialMachine(tmp_path)
    made.deploy(made.commit("1"))
    made.start()
    yield made
    made.close()


def test_nothing_during_a_trial(machine):
    machine.deploy(machine.commit("2"))
    third = machine.commit("3")
    require_admissible(machine.sysroot, machine.loaded, third)
    loaded = machine.start()
    with pytest.raises(TrialPending, match="on trial"):
        require_admissible(machine.sysroot, loaded, third)
    mark_good(machine.sysroot, loaded)
    require_admissible(machine.sysroot, machine.loaded, third)


def test_what_failed_is_not_installed_again(machine):
    second = machine.deploy(machine.commit("2"))
    for _ in range(4):
        machine.start()
    settle(machine.sysroot, machine.loaded, machine.kargs, 0)
    with pytest.raises(ReleaseKnownBad, match="did not come up") as caught:
        require_admissible(machine.sysroot, machine.loaded, second.checksum)
    assert "--retry-failed" in caught.value.hint
    require_admissible(machine.sysroot, machine.loaded, second.checksum, retry=True)
    assert read_ledger(machine.sysroot).find_bad(second.checksum) is None
    require_admissible(machine.sysroot, machine.loaded, second.checksum)


def test_without_rollback_everything_is(machine):
    machine.configure("ostrya", rollback="none")
    require_admissible(machine.sysroot, machine.loaded, machine.commit("2"))
