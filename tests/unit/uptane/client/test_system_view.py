# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.kargs import KernelArguments
from ostrya.boot.trial import End
from ostrya.sysroot.verdict import Verdict, mark_bad
from ostrya.uptane.client import installs
from ostrya.uptane.client.identity import SERIAL
from ostrya.uptane.client.installs import Target
from ostrya.uptane.client.system_view import look_at_system
from ostrya.uptane.client.watch import NO_WATCH
from support.ota_device import NOW
from support.ota_sysroot import Hub, SysrootDevice, agreed
from support.trial_world import NOW as SINCE
from support.trial_world import settled


@pytest.fixture
def device(tmp_path):
    device = SysrootDevice(tmp_path)
    yield device
    device.close()


def look(device, storage):
    storage.set_fact(SERIAL, b"ecu-1")
    return look_at_system("/", device.open, lambda _sysroot: KernelArguments(), storage)


def install(device, storage, version: str) -> str:
    checksum = device.releases.make(version)
    target = Target("ecu-1", f"os-{version}", 0, {"sha256": checksum})
    installer = device.installer()
    installer.download(agreed(target.name, checksum), Hub(device.releases.url), NO_WATCH)
    installs.begin_install(storage, target, NOW)
    assert installer.install(target, NO_WATCH).words
    return checksum


def test_what_runs(device, storage):
    seen = look(device, storage)
    (one,) = seen.deployments
    assert (one.checksum, one.is_booted, one.is_next, one.mark, one.image) == (
        device.first, True, True, "", "",
    )  # fmt: skip
    assert (seen.problem, seen.last_rollback, seen.not_finalized) == ("", "", "")


def test_what_is_staged_then_on_trial_then_rolled_back(device, storage):
    second = install(device, storage, "2")
    staged = look(device, storage).deployments[0]
    assert (staged.checksum, staged.mark, staged.image) == (second, "staged", "os-2")
    assert (staged.is_next, staged.is_booted) == (True, False)
    device.shut_down()
    pending = look(device, storage).deployments[0]
    assert (pending.checksum, pending.mark) == (second, "pending")
    loaded = device.machine.start()
    assert loaded.booted.checksum == second
    seen = look(device, storage)
    assert seen.deployments[0].is_booted
    assert "on trial" in seen.deployments[0].remark
    assert seen.deployments[1].mark == "rollback"
    verdict = Verdict(End.HEALTH, "no network", SINCE)
    mark_bad(device.machine.sysroot, loaded, loaded.booted, verdict)
    assert "no network" in look(device, storage).deployments[0].remark
    device.machine.start()
    settled(device.machine)
    seen = look(device, storage)
    assert [one.checksum for one in seen.deployments if one.is_booted] == [device.first]
    assert second in seen.last_rollback
    assert "no network" in seen.last_rollback


def test_what_cannot_be_read(tmp_path, storage):
    def refuse():
        raise FileNotFoundError(2, "No such file or directory", "/sysroot/ostree")

    seen = look_at_system("/x", refuse, lambda _sysroot: KernelArguments(), None)
    assert (seen.path, seen.problem) == ("/x", "/sysroot/ostree: No such file or directory")
