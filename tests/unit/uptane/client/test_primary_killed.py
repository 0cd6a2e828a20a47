# SPDX-License-Identifier: Apache-2.0
"""Killed at every change of the database and at every request: nothing twice, nothing lost."""

from __future__ import annotations

import errno
from collections import Counter

import pytest

from ostrya.sysroot.verdict import mark_good
from ostrya.uptane.client.event_queue import oldest_events
from ostrya.uptane.client.installs import State, install_log
from ostrya.uptane.client.primary import End
from ostrya.uptane.client.secondaries.virtual import VirtualSecondary
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.errors import ServerUnreachable, StorageError
from support.ota_ecus import SECOND, FakeEcu, add_ecu
from support.ota_faults import Faults, Killed
from support.ota_second import make_ecu
from support.ota_sysroot import SysrootDevice, commit_image
from support.ota_world import SERIAL, Device, make_device
from support.uptane_world import assigned, key

STEP = 3
"""Each third moment, where a whole sysroot is made for it."""
INSTALLED = ("EcuInstallationStarted", "EcuInstallationCompleted")


def run(device: Device, faults: Faults, promised: set[str]) -> End | None:
    """One process: what it queued until it ended is promised."""
    device.wrap = faults.wrap
    device.server.hook = lambda when, what: faults.moment(f"{when} {what}")
    try:
        return device.cycle().end
    except Killed:
        return None
    finally:
        device.wrap = lambda storage: storage
        device.server.hook = lambda _when, _what: None
        with open_storage(device.database) as storage:
            promised |= {one["id"] for _, one in oldest_events(storage, 999)}


def life(device: Device, first: Faults, second: Faults) -> set[str]:
    """Update, restart, report; go on after whatever happens."""
    promised: set[str] = set()
    run(device, first, promised)
    for _ in range(3):
        end = run(device, Faults(), promised)
        if end is not End.RESTART:
            break
        device.restart()
        run(device, second, promised)
    for _ in range(2):
        assert run(device, Faults(), promised) is End.UP_TO_DATE
    return promised


def check(device: Device, promised: set[str], ecus: tuple[str, ...] = (SERIAL,)) -> None:
    server, state = device.server, device.state()
    (only,) = state["log"]
    assert (only.target.name, only.state) == ("firmware", State.CURRENT)
    assert state["events"] == []
    assert state["results"] == {}
    assert promised <= set(server.events)
    kinds = Counter(server.kinds())
    assert {kinds[one] for one in INSTALLED} == {len(ecus)}
    assert kinds["EcuDownloadStarted"] >= 1
    assert set(server.results()) == {(serial, "OK") for serial in ecus}
    assert server.manifests[-1].reports[SERIAL].image == "firmware"


@pytest.fixture(params=[False, True], ids=["at once", "after a restart"])
def needs_restart(request):
    return request.param


def moments(top, needs_restart) -> tuple[int, int]:
    """How many moments the first process has, and the one after the restart."""
    device = make_device(top, fake_need_reboot=needs_restart)
    first, second = Faults(), Faults()
    run(device, first, set())
    device.restart()
    run(device, second, set())
    return len(first.moments), len(second.moments)


def test_killed_at_every_moment(tmp_path, needs_restart):
    key(30)
    first, second = moments(tmp_path / "whole", needs_restart)
    assert first > 40
    for at in range(first):
        device = make_device(tmp_path / f"first-{at}", fake_need_reboot=needs_restart)
        check(device, life(device, Faults(at), Faults()))
    for at in range(second if needs_restart else 0):
        device = make_device(tmp_path / f"second-{at}", fake_need_reboot=needs_restart)
        check(device, life(device, Faults(), Faults(at)))


@pytest.mark.parametrize(
    "error",
    [
        lambda: StorageError("there is no room for a change"),
        lambda: OSError(errno.EIO, "Input/output error"),
        lambda: ServerUnreachable("https://gateway", "no answer"),
    ],
    ids=["ENOSPC", "EIO", "network"],
)
def test_a_failure_at_every_moment(tmp_path, needs_restart, error):
    """It is one cycle that fails, never an exception that ends the client."""
    first, _ = moments(tmp_path / "whole", needs_restart)
    for at in range(first):
        device = make_device(tmp_path / str(at), fake_need_reboot=needs_restart)
        check(device, life(device, Faults(at, error), Faults()))


def test_killed_at_every_moment_with_another_ecu(tmp_path):
    """Each of two ECUs has one installation, and both are told."""

    def vehicle(top):
        device = make_device(top / "primary")
        add_ecu(device, FakeEcu())
        return device

    def process(device, top, faults, promised):
        with make_ecu(top / "e") as ecu:
            device.secondaries = (VirtualSecondary(ecu),)
            return run(device, faults, promised)

    whole = Faults()
    process(vehicle(tmp_path / "whole"), tmp_path / "whole", whole, set())
    assert len(whole.moments) > 50
    for at in range(len(whole.moments)):
        top = tmp_path / str(at)
        device, promised = vehicle(top), set()
        process(device, top, Faults(at), promised)
        for _ in range(3):
            end = process(device, top, Faults(), promised)
        assert end is End.UP_TO_DATE
        check(device, promised, (SERIAL, SECOND))
        with open_storage(str(top / "e/ecu/sql.db")) as storage:
            (only,) = install_log(storage, SECOND)
        assert only.state is State.CURRENT


def test_killed_at_every_moment_with_deployments(tmp_path):
    """One deployment of the release, whenever the client was killed; success once it is good."""

    def vehicle(top):
        sysroot = SysrootDevice(top / "m")
        device = make_device(top / "d", installer=sysroot.installer())
        told = commit_image(sysroot.releases.make("2"))
        device.server.treehub_url = sysroot.releases.url
        world = device.server.world
        world.image.images["firmware"] = told
        world.director.images = {"firmware": assigned(told)}
        world.publish()
        return device, sysroot

    whole = Faults()
    device, sysroot = vehicle(tmp_path / "whole")
    run(device, whole, set())
    sysroot.close()
    for at in range(0, len(whole.moments), STEP):
        device, sysroot = vehicle(tmp_path / str(at))
        promised: set[str] = set()
        run(device, Faults(at), promised)
        assert run(device, Faults(), promised) is End.RESTART
        sysroot.shut_down()
        sysroot.machine.start()
        device.restart()
        assert run(device, Faults(), promised) is End.TRIAL
        mark_good(sysroot.machine.sysroot, sysroot.machine.loaded)
        for _ in range(2):
            assert run(device, Faults(), promised) is End.UP_TO_DATE
        assert len(sysroot.machine.loaded.all) == 2
        sysroot.close()
        (only,) = device.state()["log"]
        assert only.state is State.CURRENT
        assert promised <= set(device.server.events)
        assert set(device.server.results()) == {(SERIAL, "OK")}
