# SPDX-License-Identifier: Apache-2.0
"""Boards whose U-Boot counts by itself: ``bootcount``, ``upgrade_available``, ``rollback``."""

from __future__ import annotations

import pytest

from ostrya.boot.kargs import KernelArguments
from ostrya.boot.uboot_env import decode_environment, encode_environment
from ostrya.sysroot.boot_status import read_boot_status
from ostrya.sysroot.settle import settle
from ostrya.sysroot.verdict import mark_good
from support.machines import Machine


class ClassicMachine(Machine):
    """With an environment in a file."""

    def set_environment(self, **variables: str) -> None:
        self.environment.write_bytes(encode_environment({"bootcmd": "x", **variables}, 512))

    def variables(self) -> dict[str, str]:
        return decode_environment(self.environment.read_bytes()).variables


@pytest.fixture
def machine(tmp_path, no_waiting):
    made = ClassicMachine(tmp_path)
    made.environment = tmp_path / "env"
    made.set_environment()
    (made.root / "fw.config").write_text(f"{made.environment} 0 0x200\n")
    made.configure("ostrya", rollback="uboot-classic", rollback_state="fw.config")
    made.first = made.deploy(made.commit("1"))
    mark_good(made.sysroot, made.run())
    yield made
    made.close()


def test_a_trial_is_announced(machine):
    machine.deploy(machine.commit("2"))
    assert machine.variables() == {
        "bootcmd": "x", "bootcount": "0", "upgrade_available": "1", "rollback": "0",
    }  # fmt: skip


def test_a_good_release(machine):
    machine.deploy(machine.commit("2"))
    machine.set_environment(bootcount="1", upgrade_available="1")
    loaded = machine.run(0)
    status = read_boot_status(machine.sysroot, loaded, KernelArguments())
    assert (status.tries, status.trial.on_trial) == (1, True)
    assert mark_good(machine.sysroot, loaded)
    assert machine.variables()["upgrade_available"] == "0"
    assert machine.variables()["bootcount"] == "0"


def test_a_bad_release_goes(machine):
    """Its loader would start the second one for ever, whichever that is."""
    second = machine.deploy(machine.commit("2"))
    machine.set_environment(rollback="1", upgrade_available="0")
    machine.run(1)
    bad = settle(machine.sysroot, machine.loaded, KernelArguments(), 3)
    assert (bad.checksum, bad.why) == (second.checksum, "tries")
    assert [one.checksum for one in machine.loaded.deployments] == [machine.first.checksum]
    assert machine.variables()["rollback"] == "0"
    assert settle(machine.sysroot, machine.loaded, KernelArguments(), 3) is None
