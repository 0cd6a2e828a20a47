# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.fleet.db import devices as rows
from ostrya.fleet.db import log, updates
from ostrya.fleet.domain import assignments
from ostrya.uptane.metadata.secret_keys import make_secret_key
from support.fleet_device import Ecu
from support.fleet_server import direct_device


@pytest.fixture
def two(services, gateway):
    return direct_device(services, gateway, "x", [Ecu("p", "board"), Ecu("s", "sensor")])


@pytest.fixture
def assigned(services, two, change, firmware):
    """A device with an image assigned, and what both repositories say of it."""
    wanted = assignments.Wanted("x", firmware, correlation_id="urn:1")
    change(assignments.assign, wanted, services.images.all_images(), 5)
    return two


def refusal(reply):
    assert 400 <= reply.status < 500, reply.body
    return reply.json()["code"]


def put(device, data):
    return device.link.ask("PUT", "/director/manifest", data)


def states(look):
    return [(one.state, one.code) for one in look(lambda c: updates.list_assignments(c, {}))]


def test_what_ecus_run_is_kept(two, look, clock):
    two.ecus[1].image = "sensor-3"
    assert two.send_manifest().status == 200
    found = {one.serial: one for one in look(rows.list_ecus, "x")}
    assert (found["p"].image, found["s"].image) == ("unknown", "sensor-3")
    assert found["p"].last_counter == 1
    assert look(rows.find_device, "x").last_seen == int(clock.now.timestamp())


def test_nothing_new_is_kept_too(two, look, clock):
    two.send_manifest()
    clock.forward(minutes=5)
    assert two.send_manifest().status == 200
    assert look(rows.find_device, "x").last_seen == int(clock.now.timestamp())
    assert look(rows.list_ecus, "x")[0].last_counter == 2


def test_a_report_is_taken_once_also_by_another_process(services, two, gateway):
    data = two.manifest()
    assert put(two, data).status == 200
    assert refusal(put(two, data)) == "report_counter_reused"
    services.registry.forget("x")
    assert refusal(put(two, data)) == "report_counter_reused"


def test_a_replay_is_noticed(two, look):
    data = two.manifest()
    put(two, data)
    put(two, data)
    (one,) = look(lambda c: log.list_events(c, {"type": "ManifestRejected"}))
    assert one.device_id == "x"
    assert "report_counter_reused" in one.body


def test_the_last_report_of_a_secondary_speaks_for_it_again(two):
    kept = two.ecus[1].report()
    for _ in range(2):
        reports = {"p": two.primary.report(), "s": kept}
        assert put(two, two.manifest(reports=reports)).status == 200
    two.ecus[1].image = "older"
    two.ecus[1].counter = 0
    reports = {"p": two.primary.report(), "s": two.ecus[1].report()}
    assert refusal(put(two, two.manifest(reports=reports))) == "report_counter_reused"


def test_signed_by_another_key(two):
    two.primary.key = make_secret_key("ed25519")
    assert refusal(two.send_manifest()) == "signature_not_valid"


def test_a_secondary_signed_by_another_key(two):
    two.ecus[1].key = make_secret_key("ed25519")
    assert refusal(two.send_manifest()) == "signature_not_valid"


def test_an_ecu_is_missing(two):
    reports = {"p": two.primary.report()}
    assert refusal(put(two, two.manifest(reports=reports))) == "ecus_do_not_match"


def test_an_ecu_of_nobody(two):
    two.ecus.append(Ecu("other", "board"))
    assert refusal(two.send_manifest()) == "ecus_do_not_match"


def test_another_primary(two):
    two.ecus.reverse()
    assert refusal(two.send_manifest()) == "ecu_not_primary"


def test_another_vehicle(two):
    assert refusal(two.send_manifest({"vehicle_id": "y"})) == "wrong_vehicle"


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"{" * 1000, b"null"])
def test_no_manifest(two, data):
    assert refusal(put(two, data)) in {"invalid_manifest", "payload_too_large"}


def test_without_ecus(services, gateway):
    from ostrya.fleet.certificates import Peer, Purpose
    from ostrya.fleet.domain import devices
    from support.fleet_server import DirectLink

    identity = devices.provision(services.fleet, "new", 30)
    link = DirectLink(gateway, Peer("new", Purpose.DEVICE, identity.serial))
    reply = link.ask("PUT", "/director/manifest", b"{}")
    assert (reply.status, refusal(reply)) == (404, "device_missing_primary_ecu")


def test_attacks_are_logged_once(two, look):
    two.ecus[1].attacks = "rollback"
    two.send_manifest()
    two.send_manifest()
    assert look(rows.find_device, "x").attacks == "s: rollback"
    assert len(look(lambda c: log.list_events(c, {"type": "AttackDetected"}))) == 1
    two.ecus[1].attacks = ""
    two.send_manifest()
    assert look(rows.find_device, "x").attacks == ""


def test_done_only_when_the_ecu_shows_it(assigned, look):
    report = assigned.report(assigned.primary, "urn:1", "OK", success=True)
    assigned.send_manifest(report)
    assert states(look) == [("installing", "OK")]
    agreed = assigned.cycle().agreed
    assigned.install(agreed)
    assigned.send_manifest()
    assert states(look) == [("done", "OK")]
    assert assigned.cycle().agreed == ()


def test_the_right_name_with_other_bytes_is_not_done(assigned, firmware, look):
    assigned.primary.image = firmware
    assigned.send_manifest()
    assert states(look) == [("pending", "")]


def test_a_restart_that_is_still_to_come(assigned, look):
    assigned.send_manifest(
        assigned.report(assigned.primary, "urn:1", "NEED_COMPLETION", success=True)
    )
    assert states(look) == [("applied", "NEED_COMPLETION")]
    assigned.send_manifest(
        assigned.report(assigned.primary, "urn:1", "INSTALL_FAILED", success=False)
    )
    assert states(look) == [("failed", "INSTALL_FAILED")]
    (one,) = look(lambda c: updates.list_assignments(c, {}))
    assert one.reason == "it is INSTALL_FAILED"
    assert assigned.cycle().agreed == ()


def test_the_whole_failed_before_it_came_to_an_ecu(assigned, look):
    report = assigned.report(assigned.primary, "urn:1", "VERIFICATION_FAILED", success=False)
    report["installation_report"]["report"]["items"] = []
    assigned.send_manifest(report)
    assert states(look) == [("failed", "VERIFICATION_FAILED")]
    (row,) = look(log.list_reports, "x")
    assert (row.success, row.code) == (False, "VERIFICATION_FAILED")


def test_a_report_of_another_update_changes_nothing(assigned, look):
    assigned.send_manifest(assigned.report(assigned.primary, "urn:0", "FAILED", success=False))
    assert states(look) == [("pending", "")]


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"report": 1},
        {"report": {"items": 1, "result": []}},
        {"report": {"items": [1, {}, {"ecu": 1}, {"ecu": "p"}], "correlation_id": 2}},
    ],
)
def test_reports_that_say_nothing(assigned, look, report):
    assert assigned.send_manifest({"installation_report": report}).status == 200
    assert states(look) in ([("pending", "")], [("installing", "")])


def test_more_that_a_device_says(two, look):
    two.send_manifest({"custom": {"mileage": 12}})
    (when, body) = look(log.device_data, "x")["custom"]
    assert json.loads(body) == {"mileage": 12}
    assert when
