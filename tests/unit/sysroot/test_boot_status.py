# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sysroot import boot_status
from ostrya.sysroot.boot_status import read_boot_status
from ostrya.sysroot.errors import TrialStateMissing
from support.trial_world import begun_machine, running, settled


@pytest.fixture
def machine(tmp_path, no_waiting):
    yield from begun_machine(tmp_path)


def test_status_tells(machine):
    second = machine.deploy(machine.commit("2"))
    machine.start()
    status = read_boot_status(machine.sysroot, machine.loaded, machine.kargs)
    assert status.remark(running(machine)) == "on trial, 1 of 3 starts"
    assert (status.pick, status.damage) == ("trial", ())
    for _ in range(3):
        machine.start()
    settled(machine)
    status = read_boot_status(machine.sysroot, machine.loaded, machine.kargs)
    assert status.pick == "fallback-tries"
    failed = next(one for one in machine.loaded.deployments if one.is_same(second))
    assert status.remark(failed).startswith("failed: it did not come up")
    assert status.as_json()["last-rollback"]["checksum"] == second.checksum


def test_status_tells_what_is_damaged(machine):
    machine.deploy(machine.commit("2"))
    (machine.state / "ostrya1.env").write_bytes(b"x")
    kernel = machine.root / "boot" / machine.first.entry.fields["linux"].lstrip("/")
    kernel.unlink()
    status = read_boot_status(machine.sysroot, machine.loaded, machine.kargs)
    assert any("ostrya1.env" in line for line in status.damage)
    assert any("vmlinuz" in line and "not there" in line for line in status.damage)
    kernel.write_text("half")
    status = read_boot_status(machine.sysroot, machine.loaded, machine.kargs)
    assert any("vmlinuz" in line and "damaged" in line for line in status.damage)


def test_without_rollback(machine):
    machine.configure("ostrya", rollback="none")
    assert read_boot_status(machine.sysroot, machine.loaded, machine.kargs) is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(1, "Operation not permitted", "/dev/vda1"), "only root may"),
        (OSError(5, "Input/output error", "/dev/vda1"), "Input/output error: /dev/vda1"),
        (TrialStateMissing("LABEL=boot"), "not where ostrya.rollback-state says: LABEL=boot"),
    ],
)
def test_a_record_that_cannot_be_read(machine, monkeypatch, error, said):
    def fail(_sysroot, _identity):
        raise error

    monkeypatch.setattr(boot_status, "open_store", fail)
    status = read_boot_status(machine.sysroot, machine.loaded, machine.kargs)
    (line,) = status.damage
    assert line.startswith("the record of trials cannot be read: ")
    assert line.endswith(said)
