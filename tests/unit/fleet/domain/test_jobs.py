# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from ostrya.fleet.db import devices, log, updates
from ostrya.fleet.domain import campaigns, jobs
from ostrya.fleet.errors import Unavailable
from support.fleet_server import direct_device


def test_vehicles_get_new_metadata_before_they_ask(services, gateway, clock, look):
    devices = [direct_device(services, gateway, f"d{at}") for at in range(3)]
    for one in devices:
        one.cycle()
    before = look(updates.director_files, "d1")["timestamp"]
    assert jobs.run_once(services) == 0
    clock.forward(hours=22, minutes=30)
    assert jobs.run_once(services) >= 3
    after = look(updates.director_files, "d1")["timestamp"]
    assert after.version == before.version + 1
    assert devices[1].cycle(clock.now).agreed == ()


def test_a_job_that_fails_keeps_no_other_from_its_work(services, monkeypatch, caplog):
    def fail(_services):
        raise Unavailable("no disk")

    ran = []
    fail.__name__ = "refresh_images"
    monkeypatch.setattr(jobs, "refresh_images", fail)
    monkeypatch.setattr(jobs, "forget_old", lambda _services: ran.append(1) or 0)
    jobs.run_once(services)
    assert ran
    assert "no disk" in caplog.text


def test_old_events_are_forgotten(services, device, look):
    kept = services.settings.limits.events_kept
    events = [{"id": str(at), "eventType": {"id": "A", "version": 0}} for at in range(kept)]
    device.link.ask("POST", "/events", json.dumps(events).encode())
    device.link.ask("POST", "/events", json.dumps([{**events[0], "id": "last"}]).encode())
    jobs.forget_old(services)
    found = look(lambda c: log.list_events(c, {}, limit=2000))
    assert len(found) == kept
    assert found[-1].uuid == "last"


def test_many_devices_are_moved_in_small_steps(services, firmware, change, look):
    def add(connection):
        for number in range(120):
            devices.add_device(connection, f"d{number}", 1)
            ecu = devices.Ecu(f"e{number}", f"d{number}", "board", "ED25519", "00")
            devices.put_ecu(connection, ecu)
        offer = campaigns.Offer("c", firmware, mode="assign")
        whom = campaigns.Whom(all_devices=True)
        campaigns.begin(connection, offer, whom, services.images.all_images(), 5)

    change(add)
    assert jobs.run_often(services) == 120
    assert look(updates.count_assignments) == {"pending": 120}
    assert jobs.run_often(services) == 0
