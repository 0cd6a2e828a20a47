# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.db import devices


def test_pages_of_devices(change, look):
    for name in ("b", "a", "c", "ab%"):
        change(devices.add_device, name, 5)
    ids = [one.id for one in look(devices.list_devices)]
    assert ids == ["a", "ab%", "b", "c"]
    page = look(lambda c: devices.list_devices(c, after="ab%", limit=1))
    assert [one.id for one in page] == ["b"]
    assert [one.id for one in look(lambda c: devices.list_devices(c, search="%"))] == ["ab%"]


def test_contacts_of_many_are_kept_at_once(change, look):
    for name in ("a", "b"):
        change(devices.add_device, name, 5)
        change(devices.put_ecu, devices.Ecu(f"{name}-1", name, "board", "ED25519", "00"))
    contacts = [
        devices.Contact("a", 10, (("a-1", 3, "x"), ("b-1", 99, "stolen"))),
        devices.Contact("b", 11, (("b-1", None, "y"),)),
        devices.Contact("a", 12, (("a-1", 4, "z"),)),
    ]
    change(devices.note_contacts, contacts)
    assert look(devices.find_device, "a").last_seen == 12
    (one,) = look(devices.list_ecus, "a")
    assert (one.last_counter, one.report_digest, one.reported) == (4, "z", 12)
    (other,) = look(devices.list_ecus, "b")
    assert (other.last_counter, other.report_digest) == (None, "y")


def test_changes_are_noticed_in_order(change, look):
    start = look(devices.newest_change)
    change(devices.note_change, "a", "b", "a")
    newest, found = look(devices.changes_after, start)
    assert found == ("a", "b")
    assert look(devices.changes_after, newest) == (newest, ())


def test_certificates_are_withdrawn_once(change, look):
    change(devices.add_certificate, devices.Certificate("1", "a", "device", 1, 2))
    change(devices.add_certificate, devices.Certificate("2", "a", "tool", 1, 2))
    assert change(devices.revoke_certificates, "a", "lost", 9) == 1
    assert change(devices.revoke_certificates, "a", "again", 10) == 0
    assert look(devices.find_certificate, "1").reason == "lost"
    assert look(devices.find_certificate, "2").revoked is None
