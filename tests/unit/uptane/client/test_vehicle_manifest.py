# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client import installs
from ostrya.uptane.client.errors import SecondaryUnreachable
from ostrya.uptane.client.installs import Result, Target
from ostrya.uptane.client.vehicle_manifest import (
    has_news,
    installation_report,
    load_attacks,
    note_attack,
    secondary_report,
    send_manifests,
)
from ostrya.uptane.errors import ServerUnreachable
from support.ota_ecus import FakeEcu
from support.ota_world import SERIAL, make_device
from support.uptane_world import NOW


def failed(update):
    return Target(SERIAL, "x", 1, {"sha256": "aa"}, None, update)


def test_results_of_two_updates_are_told_one_after_the_other(tmp_path):
    device = make_device(tmp_path)
    with device.primary() as primary:
        parts = primary._parts
        for update, code in (("u1", "A"), ("u2", "B"), ("u1", "C")):
            installs.note_failure(parts.storage, failed(update), Result(False, code), NOW)
        assert has_news(parts.storage)
        send_manifests(parts)
        assert not has_news(parts.storage)
    bodies = [one.installation_report["report"] for one in device.server.manifests]
    assert [(one["correlation_id"], one["result"]["code"]) for one in bodies] == [
        ("u1", "board:A|board:C"), ("u2", "board:B"),
    ]  # fmt: skip
    counters = [one.reports[SERIAL].counter for one in device.server.manifests]
    assert counters == [1, 2]


def test_nothing_is_forgotten_that_was_not_taken(tmp_path):
    device = make_device(tmp_path)

    def silent(when, what):
        raise ServerUnreachable("u", "no")

    device.server.hook = silent
    with device.primary() as primary:
        parts = primary._parts
        installs.note_failure(parts.storage, failed("u1"), Result(False, "A"), NOW)
        note_attack(parts.storage, SERIAL, "freeze")
        with pytest.raises(ServerUnreachable):
            send_manifests(parts)
        assert load_attacks(parts.storage) == {SERIAL: "freeze"}
        assert len(installs.results(parts.storage)) == 1


def test_attacks_are_noted_once_each(storage):
    for attack in ("freeze", "rollback", "freeze", ""):
        note_attack(storage, "e", attack)
    assert load_attacks(storage) == {"e": "freeze; rollback"}
    storage.set_fact("attacks", b"[1")
    assert load_attacks(storage) == {}


def test_a_report_that_is_too_large_is_not_kept(storage):
    ecu = FakeEcu()
    ecu.image = "x" * 70_000
    assert secondary_report(storage, ecu) is not None
    ecu.errors["report"] = SecondaryUnreachable("away")
    assert secondary_report(storage, ecu) is None


def test_the_device_as_a_whole():
    found = installation_report(
        "u", [("a", Result(True, "OK")), ("z", Result(False, "NO", "why"))], {"a": "board"}
    )
    assert found["report"]["result"] == {
        "success": False, "code": "board:OK|unknown:NO", "description": "z: why",
    }  # fmt: skip
    assert found["report"]["items"][0] == {
        "ecu": "a", "result": {"success": True, "code": "OK", "description": ""},
    }  # fmt: skip
