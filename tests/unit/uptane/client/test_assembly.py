# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest

from ostrya.uptane.client import assembly
from ostrya.uptane.client.assembly import Machine, assemble, make_installer, restart_kind
from ostrya.uptane.client.binary_installer import BinaryInstaller, ImageFiles
from ostrya.uptane.client.config import (
    Booted,
    BootloaderSection,
    ClientConfig,
    ConsentMode,
    ControlSection,
    DirectorFilesMode,
    ImportSection,
    KeyType,
    PackageManager,
    PacmanSection,
    ProvisionSection,
    StorageSection,
    TlsSection,
    UptaneSection,
)
from ostrya.uptane.client.control.board import Board
from ostrya.uptane.client.control.protocol import Request, Word
from ostrya.uptane.client.event_queue import Event, oldest_events, queue_event
from ostrya.uptane.client.identity import Identity as DeviceIdentity
from ostrya.uptane.client.ostree_installer import OstreeInstaller
from ostrya.uptane.client.primary import End, Mode
from ostrya.uptane.client.provisioning import Provisioned
from ostrya.uptane.client.restart import RestartKind
from ostrya.uptane.client.runner import run_once
from ostrya.uptane.client.server import EventsOutcome
from ostrya.uptane.client.state import Area, load_troubles
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.errors import NotProvisioned
from ostrya.uptane.full_verification import DirectorFiles
from support.ota_world import SERIAL, MemoryServer
from support.uptane_world import NOW, key, make_world


def config_of(tmp_path, **sections):
    usual = {
        "tls": TlsSection(server="https://127.0.0.1:9"),
        "provision": ProvisionSection(primary_ecu_hardware_id="board"),
        "uptane": UptaneSection(key_type=KeyType.ED25519),
        "pacman": PacmanSection(
            type=PackageManager.NONE, images_path=str(tmp_path / "images")
        ),
        "storage": StorageSection(path=str(tmp_path / "sota")),
        "import_": ImportSection(base_path=str(tmp_path / "import")),
        "bootloader": BootloaderSection(reboot_sentinel_dir=str(tmp_path / "run")),
    }  # fmt: skip
    return ClientConfig(**{**usual, **sections})


@contextmanager
def assembled(config):
    with ExitStack() as stack:
        storage = stack.enter_context(open_storage(config.database_path))
        machine = Machine(lambda: None, lambda: NOW)  # type: ignore[arg-type,return-value]
        yield assemble(stack, config, storage, Board(), machine)


def test_a_device_that_nobody_knows_says_so(tmp_path):
    with assembled(config_of(tmp_path)) as running:
        found = run_once(running, Mode.ONCE)
        assert isinstance(found.error, NotProvisioned)
        troubles = load_troubles(running.parts.storage)
        assert {Area.PROVISIONING, Area.UPDATES} <= set(troubles)
        # The moment of these tests lies before the day on which the program was written.
        kinds = [one["eventType"]["id"] for _, one in oldest_events(running.parts.storage, 9)]
        assert kinds == ["ClockWrong", "UpdateFailed"]
        assert running.parts.around.running_time is not None
        server = running.parts.server
        for ask in (
            lambda: server.fetch_metadata(None),
            lambda: server.put_manifest(b""),
            lambda: server.open_image("x", "", 0, 1),
            server.treehub,
            lambda: server.send_events([]),
            lambda: server.send_device_data(None, b""),
            server.campaigns,
        ):
            with pytest.raises(NotProvisioned):
                ask()
        server.close()


def test_who_it_is_stays(tmp_path):
    serials = set()
    for _ in range(2):
        with assembled(config_of(tmp_path)) as running:
            serials.add(running.parts.identity.serial)
    assert len(serials) == 1


def test_rules_are_those_of_the_configuration(tmp_path):
    section = UptaneSection(
        key_type=KeyType.ED25519, director_files=DirectorFilesMode.TARGETS_ONLY,
        install_attempts=7, force_install_completion=True, polling_sec=33, max_polling_sec=44,
        enable_offline_updates=True, enable_online_updates=False, vehicle_id="v",
        offline_updates_source=str(tmp_path / "mnt"),
    )  # fmt: skip
    control = ControlSection(consent=ConsentMode.REQUIRED)
    with assembled(config_of(tmp_path, uptane=section, control=control)) as running:
        rules = running.parts.rules
        assert (rules.director_files, rules.install_attempts, rules.force_restart) == (
            DirectorFiles.TARGETS_ONLY, 7, True,
        )  # fmt: skip
        assert running.pace == (33, 44)
        assert running.parts.consent.required
        assert running.parts.identity.vehicle_id == "v"
        assert not running.is_online
        assert run_once(running, Mode.ONCE).end is End.UP_TO_DATE


def test_a_pause_is_an_event(tmp_path):
    with assembled(config_of(tmp_path)) as running:
        board = running.board
        board.begin()
        board.ask(Request(Word.PAUSE))
        board.on_pause("DevicePaused")
        events = [one for _, one in oldest_events(running.parts.storage, 9)]
    assert events[0]["eventType"]["id"] == "DevicePaused"


def test_installers_and_restarts(tmp_path):
    machine = Machine(lambda: None, lambda: NOW)  # type: ignore[arg-type,return-value]
    files = ImageFiles("x", 0)
    none = config_of(tmp_path)
    assert isinstance(make_installer(none, files, machine), BinaryInstaller)
    assert restart_kind(none) is RestartKind.MACHINE
    assert isinstance(make_installer(ClientConfig(), files, machine), OstreeInstaller)
    for section in (PacmanSection(booted=Booted.STAGED), PacmanSection(fake_need_reboot=True)):
        assert restart_kind(ClientConfig(pacman=section)) is RestartKind.EMULATED


def test_once_a_device_is_known_its_server_is_told(tmp_path, monkeypatch):
    """Of the device by whoever can, and of events; those that are too many go in parts."""
    link = MemoryServer(make_world())
    outcomes = iter([EventsOutcome.TOO_LARGE])
    taken: list[int] = []

    def send_events(events):
        taken.append(len(events))
        return next(outcomes, EventsOutcome.TAKEN)

    link.send_events = send_events
    identity = DeviceIdentity("vehicle-1", SERIAL, "board", "k", key(30))
    monkeypatch.setattr(assembly, "provision", lambda *_: Provisioned(identity, link))
    told = []
    with ExitStack() as stack:
        config = config_of(tmp_path)
        storage = stack.enter_context(open_storage(config.database_path))
        machine = Machine(lambda: None, lambda: NOW, lambda *what: told.append(what[2]))
        running = assemble(stack, config, storage, Board(), machine)
        for _ in range(4):
            queue_event(storage, Event("X", NOW))
        connected = running.parts.around.connect(running.parts)
        assert running.parts.around.connect(running.parts) is connected
        assert connected.identity.vehicle_id == "vehicle-1"
        connected.around.send_device_data()
        connected.around.send_events()
        assert oldest_events(storage, 9) == ()
    assert told == [link]
    assert taken == [4, 2, 2]
