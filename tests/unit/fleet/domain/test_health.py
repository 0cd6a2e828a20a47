# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil

from ostrya.fleet.connections import DoorFacts
from ostrya.fleet.domain import health
from ostrya.fleet.errors import Unavailable


def test_a_server_that_is_well(services):
    assert health.problems(services) == ()


def test_a_full_disk_and_no_database(services, monkeypatch):
    monkeypatch.setattr(health, "free_bytes", lambda _settings: 1000)

    def fail():
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(services.fleet.database, "read", fail)
    database, disk = health.problems(services)
    assert database == "the database does not answer"
    assert "is full: 1000 bytes are left" in disk


def test_a_folder_that_is_gone(services):
    shutil.rmtree(services.settings.folder)
    assert any("cannot be read" in words for words in health.problems(services))


def test_every_number_has_a_help_and_those_of_a_name_are_together(services, device, firmware):
    device.send_manifest()
    doors = {"devices": DoorFacts(3, 70, 2), "tools": DoorFacts(1, 5, 0)}
    found = list(health.measure(services, doors, "1.0"))
    names = [one.name for one in found]
    assert set(names) <= health.HELP.keys()
    assert sorted(names, key=names.index) == names
    values = {(one.name, *one.labels.values()): one.value for one in found}
    assert values["devices",] == values["devices_seen_last_day",] == values["images",] == 1
    assert values["connections", "devices"] == 3
    assert values["requests_total", "tools"] == 5
    assert values["turned_away_total", "devices"] == 2
    assert values["expires_timestamp_seconds", "director/root"] > 1e9
