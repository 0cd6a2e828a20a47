# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.errors import CommandFailed
from ostrya.uptane.client.config import ClientConfig, PacmanSection, TelemetrySection
from ostrya.uptane.client.device_data import telling as module
from ostrya.uptane.client.device_data.telling import send_device_data
from ostrya.uptane.client.server import DeviceDataKind
from ostrya.uptane.client.state import Area, Condition, load_troubles
from ostrya.uptane.errors import ServerRefused, ServerUnreachable
from support.ota_device import NOW


class Told:
    """A server that is told."""

    def __init__(self) -> None:
        self.bodies: dict[DeviceDataKind, bytes] = {}
        self.asked: list[DeviceDataKind] = []
        self.errors: dict[DeviceDataKind, Exception] = {}

    def send_device_data(self, kind, body):
        self.asked.append(kind)
        if kind in self.errors:
            raise self.errors[kind]
        self.bodies[kind] = body


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def config(tmp_path, monkeypatch):
    (tmp_path / "packages").write_text("bash 5.2\n")
    (tmp_path / "hw.json").write_text('{"id": "board"}')
    return ClientConfig(
        pacman=PacmanSection(packages_file=str(tmp_path / "packages")),
        telemetry=TelemetrySection(hardware_command=f"cat {tmp_path}/hw.json"),
    )


def test_all_of_it_once_and_what_changes_again(storage, told, config, tmp_path):
    assert set(send_device_data(config, storage, told, NOW)) == set(DeviceDataKind)
    assert json.loads(told.bodies[DeviceDataKind.HARDWARE]) == {"id": "board"}
    packages = json.loads(told.bodies[DeviceDataKind.PACKAGES])
    assert packages == [{"name": "bash", "version": "5.2"}]
    assert set(json.loads(told.bodies[DeviceDataKind.NETWORK])) == {
        "local_ipv4", "mac", "hostname",
    }  # fmt: skip
    assert b"[telemetry]" in told.bodies[DeviceDataKind.CONFIG]
    assert send_device_data(config, storage, told, NOW) == ()
    assert len(told.asked) == 4
    (tmp_path / "packages").write_text("bash 5.3\n")
    assert send_device_data(config, storage, told, NOW) == (DeviceDataKind.PACKAGES,)


def test_what_may_not_be_told_is_not(storage, told):
    section = TelemetrySection(
        report_network=False, report_config=False, report_hardware=False, report_packages=False
    )
    assert send_device_data(ClientConfig(telemetry=section), storage, told, NOW) == ()
    assert not told.asked


def test_one_that_is_refused_leaves_the_others(storage, told, config):
    told.errors[DeviceDataKind.PACKAGES] = ServerRefused("too large", 413)
    sent = send_device_data(config, storage, told, NOW)
    assert set(sent) == set(DeviceDataKind) - {DeviceDataKind.PACKAGES}
    trouble = load_troubles(storage)[Area.DEVICE_DATA]
    assert trouble.condition is Condition.SERVER_REFUSED
    told.errors.clear()
    assert send_device_data(config, storage, told, NOW) == (DeviceDataKind.PACKAGES,)
    assert load_troubles(storage) == {}


def test_a_server_that_is_away_is_asked_once(storage, told, config):
    told.errors = dict.fromkeys(DeviceDataKind, ServerUnreachable("https://host", "away"))
    assert send_device_data(config, storage, told, NOW) == ()
    assert len(told.asked) == 1


def test_a_command_that_fails_keeps_nothing_else(storage, told, config):
    section = TelemetrySection(hardware_command="false")
    sent = send_device_data(config._replace(telemetry=section), storage, told, NOW)
    assert set(sent) == set(DeviceDataKind) - {DeviceDataKind.HARDWARE}
    assert Area.DEVICE_DATA in load_troubles(storage)


def test_an_lshw_that_fails_is_no_trouble(storage, told, config, monkeypatch):
    def fail(*_):
        raise CommandFailed(("lshw",), 1, "no")

    monkeypatch.setattr(module, "find_hardware", fail)
    sent = send_device_data(config._replace(telemetry=TelemetrySection()), storage, told, NOW)
    assert DeviceDataKind.HARDWARE not in sent
    assert load_troubles(storage) == {}


def test_an_application_may_say_the_hardware(storage, told, config, tmp_path):
    (tmp_path / "mine.json").write_text('{"id": "mine"}')
    send_device_data(config, storage, told, NOW, hardware_file=str(tmp_path / "mine.json"))
    assert json.loads(told.bodies[DeviceDataKind.HARDWARE]) == {"id": "mine"}
