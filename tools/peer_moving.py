# SPDX-License-Identifier: Apache-2.0
"""From aktualizr to `ostrya ota run` on the same device, with the same database."""

from __future__ import annotations

import sqlite3
import time

from peer_checks import expect, expect_so
from peer_lab import Device, Lab, Wish

_PATIENCE_S = 240
_PAUSE_S = 10


def taken_over(lab: Lab) -> str:
    """`ostrya ota run` goes on with the database, and is the same device."""
    device = lab.make("moving", Wish())
    lab.cycle(device)
    update(lab, device, "firmware-moving-1")
    before, images = tables(device), lab.images(device)
    ours = in_ours(device)
    lab.cycle(ours)
    expect(lab.images(ours), images, "the ECU and what it runs")
    update(lab, ours, "firmware-moving-2")
    now = tables(device)
    expect_so({name: now[name] for name in before} == before, "aktualizr's tables are as they were")
    expect_so("ManifestRejected" not in lab.events(ours), "each manifest was taken")
    expect_so(f"{device.name} " in lab.fleet("device", "list"), "the server has the device")
    return "same name, certificate, key, counter and image; updated by ours"


def gone_back(lab: Lab) -> str:
    """Aktualizr goes on from where it was, as after a rollback to the system that had it."""
    device = Device("moving", lab.work / "moving")
    before = lab.events(device).count("ManifestRejected")
    image = lab.add_file("firmware-moving-3", b"by aktualizr again" * 1000)
    lab.fleet("assign", device.name, image)
    begun = time.monotonic()
    while list(lab.states(device).values()) != [(image, "done")]:
        # What the server told our client's last look stays what it tells the device for a while.
        expect_so(time.monotonic() - begun < _PATIENCE_S, "the update is done")
        time.sleep(_PAUSE_S)
        lab.cycle(device)
    refused = lab.events(device).count("ManifestRejected") - before
    return f"updated by aktualizr; manifests refused until its counter had passed ours: {refused}"


def handed_over(lab: Lab) -> str:
    """A commit that aktualizr deployed is reported by ours after the restart."""
    device = lab.make("handing", Wish(commit=lab.newest()))
    lab.cycle(device)
    image = lab.add_commit("with-ours")
    lab.fleet("assign", device.name, image)
    lab.cycle(device)
    expect(list(lab.states(device).values()), [(image, "applied")], "before the restart")
    lab.boot(device)
    ours = in_ours(device)
    lab.cycle(ours)
    expect(list(lab.states(ours).values()), [(image, "done")], "after it")
    expect(list(lab.images(ours).values()), [image], "what it says that it runs")
    return "applied by aktualizr, done by ours"


def in_ours(device: Device) -> Device:
    """Let our client run on a device, with aktualizr's settings."""
    text = device.config.read_text()
    if device.sysroot.exists():
        # Ours is not started in the deployment: the newest one counts as running.
        words = f'[pacman]\nos = "demo"\nsysroot = "{device.sysroot}"\nbooted = "staged"'
        text = text.replace("[pacman]", words)
    # The usual place of the socket is for one client of a machine.
    device.config.write_text(f'{text}\n[control]\nsocket = ""\n')
    return Device(device.name, device.top, ours=True)


def update(lab: Lab, device: Device, image: str) -> None:
    """Update a device by a file."""
    lab.add_file(image, image.encode() * 1000)
    lab.fleet("assign", device.name, image)
    lab.cycle(device)
    expect(list(lab.states(device).values()), [(image, "done")], "the assignment")


def tables(device: Device) -> dict[str, list[object]]:
    """All rows of all tables of a database."""
    with sqlite3.connect(device.top / "state/sql.db") as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names}
