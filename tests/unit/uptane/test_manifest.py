# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.uptane import manifest
from ostrya.uptane.errors import ManifestRejected, MetadataInvalid, MetadataTooLarge
from ostrya.uptane.manifest import (
    EcuReport,
    Registered,
    RegisteredEcu,
    Times,
    check_manifest,
    sign_manifest,
    sign_report,
)  # fmt: skip
from ostrya.uptane.metadata.keys import uptane_key_id
from support.uptane_world import NOW, key, rsa_key

TIMES = Times(NOW, NOW)
KEYS = {"p": rsa_key(), "s": key(2)}
REGISTERED = Registered("p", {name: RegisteredEcu(one.key, 4) for name, one in KEYS.items()}, "v")


def report(serial, counter=5, secret=None, **changes):
    secret = secret or KEYS[serial]
    told = EcuReport(serial, "firmware", 7, {"sha256": "0" * 64}, counter=counter)
    return sign_report(told._replace(**changes), TIMES, uptane_key_id(secret.key), secret)


def whole(reports=None, primary="p", secret=None, **more):
    reports = reports if reports is not None else {name: report(name) for name in KEYS}
    secret = secret or KEYS["p"]
    return sign_manifest(reports, primary, {"vehicle_id": "v", **more}, "id", secret)


def test_what_a_vehicle_says():
    told = check_manifest(whole(installation_report={"x": 1}, custom={"y": 2}), REGISTERED)
    assert told.reports["s"].image == "firmware"
    assert told.reports["s"].counter == 5
    assert told.installation_report == {"x": 1}
    assert told.custom == {"y": 2}


def test_the_form_that_servers_know():
    value = json.loads(whole())
    assert value["signed"]["primary_ecu_serial"] == "p"
    one = value["signed"]["ecu_version_manifests"]["s"]
    assert one["signatures"][0]["method"] == "ed25519"
    assert one["signed"] == {
        "attacks_detected": "", "ecu_serial": "s", "report_counter": "5",
        "installed_image": {"fileinfo": {"hashes": {"sha256": "0" * 64}, "length": 7}, "filepath": "firmware"},
        "previous_timeserver_time": "2026-11-30T12:00:00Z", "timeserver_time": "2026-11-30T12:00:00Z",
    }  # fmt: skip


def test_attacks_are_reported():
    reports = {**{name: report(name) for name in KEYS}, "s": report("s", attacks="rollback")}
    assert check_manifest(whole(reports), REGISTERED).reports["s"].attacks == "rollback"


def refused(monkeypatch, check, data, why):
    """Show that it is believed without a check, and refused with it."""
    with monkeypatch.context() as patch:
        patch.setattr(manifest, check, lambda *_: None)
        check_manifest(data, REGISTERED)
    with pytest.raises(ManifestRejected, match=why):
        check_manifest(data, REGISTERED)


def test_signed_by_another_primary(monkeypatch):
    refused(monkeypatch, "check_report_signed", whole(secret=key(9)), "the manifest is not signed")


def test_a_report_by_another_key(monkeypatch):
    reports = {"p": report("p"), "s": report("s", secret=key(9))}
    refused(monkeypatch, "check_report_signed", whole(reports), "the report of s is not signed")


@pytest.mark.parametrize("counter", [4, 3, None])
def test_a_report_that_was_sent_before(monkeypatch, counter):
    reports = {"p": report("p"), "s": report("s", counter)}
    refused(monkeypatch, "check_counter", whole(reports), "4 was sent before")


def test_an_ecu_that_is_left_out(monkeypatch):
    refused(monkeypatch, "check_complete", whole({"p": report("p")}), "no report of the ECU s")


def test_an_ecu_of_another_vehicle():
    reports = {"p": report("p"), "s": report("s"), "x": report("x", secret=key(3))}
    with pytest.raises(ManifestRejected, match="has the ECU x, which is not of the vehicle"):
        check_manifest(whole(reports), REGISTERED)


def test_one_ecu_speaking_for_another():
    """Both have the same key, but a report names its ECU."""
    registered = REGISTERED._replace(ecus={**REGISTERED.ecus, "t": RegisteredEcu(key(2).key)})
    reports = {"p": report("p"), "s": report("s"), "t": report("s")}
    with pytest.raises(ManifestRejected, match="the report of t is of s"):
        check_manifest(whole(reports), registered)


def test_of_another_vehicle():
    with pytest.raises(ManifestRejected, match="is of q, not of p"):
        check_manifest(whole(primary="q"), REGISTERED)
    with pytest.raises(ManifestRejected, match="of the vehicle w"):
        check_manifest(whole(vehicle_id="w"), REGISTERED)


def test_the_key_id_is_not_looked_at():
    """A server knows the key of an ECU; what the signature calls it says nothing."""
    assert check_manifest(whole(), REGISTERED).reports


@pytest.mark.parametrize("data", [b"", b"{}", b"[]"])
def test_no_manifest(data):
    with pytest.raises(MetadataInvalid):
        check_manifest(data, REGISTERED)


def test_too_large():
    with pytest.raises(MetadataTooLarge):
        check_manifest(b" " * (manifest.MAX_MANIFEST_BYTES + 1), REGISTERED)


@pytest.mark.parametrize("counter", ["-1", "x", 10**30, [1]])
def test_no_counter(counter):
    from ostrya.uptane.metadata.dialect import Dialect
    from ostrya.uptane.metadata.signed import sign

    signed = {**report("s")["signed"], "report_counter": counter}
    if counter == 10**30:
        signed["report_counter"] = "1" * 30
    bad = sign(signed, Dialect.UPTANE, [("id", KEYS["s"])]).to_json()
    with pytest.raises(MetadataInvalid, match="no counter"):
        check_manifest(whole({"p": report("p"), "s": bad}), REGISTERED)
