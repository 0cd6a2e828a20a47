# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.errors import CommandFailed
from ostrya.uptane.client.config import ClientConfig, PacmanSection, TelemetrySection
from ostrya.uptane.client.device_data import telling as module
from ostrya.uptane.client.device_data.telling import forget_what_was_told, send_device_data
from ostrya.uptane.client.server import DeviceDataKind
from ostrya.uptane.client.state import Area, Condition, load_troubles
from ostrya.uptane.errors import ServerRefused, ServerUnreachable
from support.ota_device import NOW

ALL = (
    DeviceDataKind.NETWORK, DeviceDataKind.HARDWARE, DeviceDataKind.PACKAGES, DeviceDataKind.CONFIG,
)  # fmt: skip


class Listener:
    """A server that hears what devices tell."""

    def __init__(self) -> None:
        self.told: dict[DeviceDataKind, bytes] = {}
        self.errors: dict[DeviceDataKind, Exception] = {}
        self.asked: list[DeviceDataKind] = []

    def send_device_data(self, kind, body):
        self.asked.append(kind)
        if kind in self.errors:
            raise self.errors[kind]
        self.told[kind] = body


@pytest.fixture
def packages(tmp_path):
    path = tmp_path / "package.manifest"
    path.write_text("b 2\na 1\n")
    return path


@pytest.fixture
def config(packages, monkeypatch):
    monkeypatch.setattr(module, "find_hardware", lambda command, path: {"id": "board"})
    return ClientConfig(pacman=PacmanSection(packages_file=str(packages)))


def test_all_of_it_once_and_then_what_changed(storage, config, packages):
    server = Listener()
    assert send_device_data(config, storage, server, NOW) == ALL
    assert json.loads(server.told[DeviceDataKind.PACKAGES]) == [
        {"name": "a", "version": "1"}, {"name": "b", "version": "2"},
    ]  # fmt: skip
    assert json.loads(server.told[DeviceDataKind.HARDWARE]) == {"id": "board"}
    assert set(json.loads(server.told[DeviceDataKind.NETWORK])) == {
        "local_ipv4", "mac", "hostname",
    }  # fmt: skip
    assert b"[telemetry]" in server.told[DeviceDataKind.CONFIG]
    assert send_device_data(config, storage, server, NOW) == ()
    packages.write_text("a 2\n")
    assert send_device_data(config, storage, server, NOW) == (DeviceDataKind.PACKAGES,)
    forget_what_was_told(storage)
    assert send_device_data(config, storage, server, NOW) == ALL


def test_what_is_not_to_be_told(storage, config):
    quiet = config._replace(
        telemetry=TelemetrySection(
            report_network=False, report_config=False, report_hardware=False, report_packages=False
        )
    )
    server = Listener()
    assert send_device_data(quiet, storage, server, NOW) == ()
    assert server.asked == []


def test_one_that_is_refused_keeps_no_other_from_being_sent(storage, config):
    server = Listener()
    server.errors[DeviceDataKind.HARDWARE] = ServerRefused("https://gate/system_info", 500)
    sent = send_device_data(config, storage, server, NOW)
    assert sent == (DeviceDataKind.NETWORK, DeviceDataKind.PACKAGES, DeviceDataKind.CONFIG)
    trouble = load_troubles(storage)[Area.DEVICE_DATA]
    assert trouble.condition is Condition.SERVER_REFUSED
    server.errors.clear()
    assert send_device_data(config, storage, server, NOW) == (DeviceDataKind.HARDWARE,)
    assert load_troubles(storage) == {}


def test_a_server_that_is_away_is_asked_once(storage, config):
    server = Listener()
    server.errors = dict.fromkeys(ALL, ServerUnreachable("https://gate", "gone"))
    assert send_device_data(config, storage, server, NOW) == ()
    assert server.asked == [DeviceDataKind.NETWORK]
    assert load_troubles(storage)[Area.DEVICE_DATA].condition is Condition.SERVER_UNREACHABLE


def test_boards_whose_lshw_fails(storage, config, monkeypatch):
    def fail(command, path):
        raise CommandFailed(("lshw",), -11)

    monkeypatch.setattr(module, "find_hardware", fail)
    server = Listener()
    assert DeviceDataKind.HARDWARE not in send_device_data(config, storage, server, NOW)
    assert load_troubles(storage) == {}
    # But a command that somebody named has to work.
    named = config._replace(telemetry=TelemetrySection(hardware_command="x"))
    send_device_data(named, storage, server, NOW)
    assert load_troubles(storage)[Area.DEVICE_DATA].condition is Condition.FAILED
