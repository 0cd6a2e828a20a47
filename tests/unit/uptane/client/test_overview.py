# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest

from ostrya.uptane.client import installs, overview, trust_store
from ostrya.uptane.client.config import ClientConfig, StorageSection, TlsSection, UptaneSection
from ostrya.uptane.client.event_queue import Event, queue_event
from ostrya.uptane.client.installs import Result, State, Target
from ostrya.uptane.client.overview import look
from ostrya.uptane.client.provisioning import provision
from ostrya.uptane.client.state import Area, Condition, note_contact, note_success, note_trouble
from ostrya.uptane.client.storage import open_to_read
from ostrya.uptane.client.vehicle_manifest import note_attack
from ostrya.uptane.errors import CertificateRefused, ServerUnreachable
from ostrya.uptane.metadata.fields import format_time
from ostrya.uptane.steps import Repository
from ostrya.uptane.time_floor import TimeFloor
from support.aktualizr_database import AktualizrDatabase
from support.ota_device import NOW

BUILT = NOW - timedelta(days=1)


def test_a_device_without_a_client(tmp_path):
    config = ClientConfig(
        tls=TlsSection(server="https://host"), storage=StorageSection(path=str(tmp_path))
    )
    seen = look(config, None, NOW, BUILT)
    assert (seen.is_provisioned, seen.ecus, seen.server) == (False, (), "https://host")
    assert seen.troubles["provisioning"].condition is Condition.NOT_PROVISIONED
    assert "no client has worked with" in seen.troubles["provisioning"].message


def test_a_device_that_aktualizr_has_looked_after_until_now(tmp_path):
    config = ClientConfig(storage=StorageSection(path=str(tmp_path)))
    AktualizrDatabase(tmp_path / "sql.db").device("car-1", "ecu-1")
    assert open_to_read(config.database_path) is None
    trouble = look(config, None, NOW, BUILT).troubles["provisioning"]
    assert trouble.condition is Condition.NOT_PROVISIONED
    assert "another client's, such as aktualizr's" in trouble.message
    assert "goes on with it" in trouble.hint


def test_one_that_has_not_come_so_far(storage):
    seen = look(ClientConfig(), storage, NOW, BUILT)
    assert not seen.is_provisioned
    assert seen.troubles["provisioning"].condition is Condition.NOT_PROVISIONED
    note_trouble(storage, Area.PROVISIONING, ServerUnreachable("https://host", "away"), NOW)
    seen = look(ClientConfig(), storage, NOW, BUILT)
    assert seen.troubles["provisioning"].condition is Condition.SERVER_UNREACHABLE


@pytest.fixture
def known(device, kept):
    """The configuration of a device of the fleet, its database and its serial."""
    config = device.device_config("car-1")
    found = provision(config, kept, [], NOW)
    found.link.close()
    return config, kept, found.identity.serial


def test_a_device_of_the_fleet(known, gateway):
    config, storage, serial = known
    note_contact(storage, NOW)
    note_success(storage, NOW)
    queue_event(storage, Event("X", NOW))
    seen = look(config, storage, NOW, BUILT)
    assert (seen.device_id, seen.server, seen.is_provisioned) == ("car-1", gateway.url, True)
    assert [(one.serial, one.hardware_id) for one in seen.ecus] == [(serial, "board")]
    assert seen.contact == seen.success == format_time(NOW)
    assert (seen.events, seen.troubles, seen.attacks) == (1, {}, {})
    assert {(one.repository, one.role, one.version) for one in seen.metadata} == {
        (Repository.DIRECTOR, "root", 1), (Repository.IMAGE, "root", 1),
    }  # fmt: skip
    assert not seen.has_metadata


def test_troubles_and_attacks(known):
    config, storage, serial = known
    note_trouble(storage, Area.UPDATES, CertificateRefused("https://host", 403), NOW)
    note_attack(storage, serial, "freeze")
    seen = look(config, storage, NOW, BUILT)
    assert seen.troubles["updates"].condition is Condition.CERTIFICATE_REFUSED
    assert seen.attacks == {serial: "freeze"}


def test_metadata_that_is_over(known):
    config, storage, _ = known
    assert not any(one.is_expired for one in look(config, storage, NOW, BUILT).metadata)
    later = NOW + timedelta(days=100_000)
    assert all(one.is_expired for one in look(config, storage, later, BUILT).metadata)


def test_a_clock_at_1970(known):
    config, storage, _ = known
    clock = datetime(1970, 1, 1, tzinfo=NOW.tzinfo)
    trust_store.keep_time_floor(storage, TimeFloor(NOW))
    trouble = look(config, storage, clock, BUILT).troubles["clock"]
    assert trouble.condition is Condition.CLOCK_WRONG
    assert "1970" in trouble.message
    assert format_time(NOW) in trouble.message
    assert "clock" not in look(config, storage, NOW, BUILT).troubles


def test_a_full_disk(known, monkeypatch):
    config, storage, _ = known
    none = os.statvfs_result((4096, 4096, 100, 0, 0, 100, 0, 0, 0, 255))
    monkeypatch.setattr(overview.os, "statvfs", lambda _: none)
    assert look(config, storage, NOW, BUILT).troubles["storage"].condition is Condition.DISK_FULL


def test_images(known):
    config, storage, serial = known
    one = Target(serial, "fw-1", 7, {"sha256": "1" * 64}, 1, "urn:1")
    two = one._replace(name="fw-2", hashes={"sha256": "2" * 64}, correlation_id="urn:2")
    installs.begin_install(storage, one, NOW)
    seen = look(config, storage, NOW, BUILT).ecus[0]
    assert seen.pending is not None
    assert (seen.pending.target, seen.pending.state, seen.installed) == (one, State.STARTED, None)
    installs.finish_install(storage, serial, Result(success=True, code="OK"), NOW)
    config = config._replace(uptane=UptaneSection(install_attempts=2))
    failed = Result(success=False, code="INSTALL_FAILED", description="it does not boot")
    for _ in range(2):
        assert look(config, storage, NOW, BUILT).ecus[0].given_up is None
        installs.begin_install(storage, two, NOW)
        installs.finish_install(storage, serial, failed, NOW)
    seen = look(config, storage, NOW, BUILT).ecus[0]
    assert (seen.installed, seen.pending, seen.given_up, seen.reason) == (one, None, two, failed)
