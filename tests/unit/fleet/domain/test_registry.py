# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.db import devices as rows
from ostrya.fleet.domain import assignments, devices
from ostrya.fleet.domain.registry import is_device
from ostrya.fleet.domain.services import open_services


def test_what_another_process_changes_is_noticed(services, device, firmware, clock):
    device.send_manifest()
    assert device.cycle().agreed == ()
    with open_services(services.settings.folder, now=clock) as other:
        images = other.images.all_images()
        wanted = assignments.Wanted(device.name, firmware)
        other.fleet.database.write(lambda c: assignments.assign(c, wanted, images, 5))
    (one,) = device.cycle().agreed
    assert one.name == firmware


def test_a_certificate_that_another_process_withdraws(services, device, clock):
    assert device.send_manifest().status == 200
    with open_services(services.settings.folder, now=clock) as other:
        other.fleet.database.write(lambda c: devices.revoke(c, device.name, "lost", 5))
    reply = device.send_manifest()
    assert (reply.status, reply.json()["code"]) == (403, "certificate_revoked")


def test_polls_are_answered_from_memory(services, device, monkeypatch):
    device.send_manifest()
    device.cycle()
    device.send_manifest()
    reads = []
    read = services.fleet.database.read
    monkeypatch.setattr(services.fleet.database, "read", lambda: reads.append(1) or read())
    # What the last manifest left behind is looked at once.
    services.registry.notice()
    reads.clear()
    device.cycle()
    assert reads == []


def test_nobody_is_remembered_who_is_not_there(services):
    assert services.registry.load("x") is None
    assert services.registry.peek("x") is None
    assert services.registry.certificate("x") is None


def test_kinds_of_certificates():
    assert is_device(rows.Certificate("1", "a", "device", 1, 2))
    assert not is_device(rows.Certificate("1", "a", "tool", 1, 2))
