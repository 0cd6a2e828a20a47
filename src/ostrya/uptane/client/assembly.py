# SPDX-License-Identifier: Apache-2.0
"""A running client, put together by what it is configured as."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NoReturn

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.attempts import Pace
from ostrya.uptane.client.binary_installer import BinaryInstaller, ImageFiles
from ostrya.uptane.client.config import Booted, ConsentMode, DirectorFilesMode, PackageManager
from ostrya.uptane.client.consent import Consent
from ostrya.uptane.client.event_queue import Event, queue_event
from ostrya.uptane.client.identity import EcuDescription, settle_identity
from ostrya.uptane.client.importing import import_files, import_installed
from ostrya.uptane.client.offline import MountedMedium
from ostrya.uptane.client.ostree_installer import OstreeInstaller
from ostrya.uptane.client.primary import Primary
from ostrya.uptane.client.provisioning import provision
from ostrya.uptane.client.reports import send_events
from ostrya.uptane.client.restart import Restart, RestartKind
from ostrya.uptane.client.runner import Running
from ostrya.uptane.client.running_time import RunningTime
from ostrya.uptane.client.secondaries.build import build_secondaries
from ostrya.uptane.client.secondaries.config import EcusConfig, read_ecus
from ostrya.uptane.client.vehicle import RELEASED, Identity, Parts, Rules, Surroundings
from ostrya.uptane.client.verifying import device_time
from ostrya.uptane.errors import NotProvisioned
from ostrya.uptane.full_verification import DirectorFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager, ExitStack
    from datetime import datetime

    from ostrya.sysroot.sysroot import Sysroot
    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.control.board import Board
    from ostrya.uptane.client.identity import Identity as DeviceIdentity
    from ostrya.uptane.client.installer import Installer
    from ostrya.uptane.client.server import (
        Campaign,
        DeviceDataKind,
        EventsOutcome,
        ImageBody,
        Server,
        Treehub,
    )
    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.steps import Wanted


def _tell_nothing(config: ClientConfig, storage: Storage, server: Server, now: datetime) -> None:
    del config, storage, server, now


class Machine(NamedTuple):
    """What a client is told of the machine that it runs on.

    Attributes:
        open_sysroot: Opens the sysroot that is updated.
        clock: What the clock says, in UTC.
        tell_device_data: Tells a server about the device, as far as that is news; its errors are
            its own business.
    """

    open_sysroot: Callable[[], Sysroot]
    clock: Callable[[], datetime]
    tell_device_data: Callable[[ClientConfig, Storage, Server, datetime], object] = _tell_nothing


def assemble(
    stack: ExitStack, config: ClientConfig, storage: Storage, board: Board, machine: Machine
) -> Running:
    """Put a client together; nothing is asked of a server yet.

    Args:
        stack: Closes what was opened.
        config: What the device is told.
        storage: What it knows.
        board: What programs see and ask.
        machine: What it runs on.

    Raises:
        UptaneError: Something that it is told or was given cannot be used.
        OSError: A file cannot be read or written.
    """
    path = config.uptane.secondary_config_file
    ecus = read_ecus(path) if path else EcusConfig()
    secondaries = build_secondaries(stack, ecus, storage, machine.clock, RELEASED)
    # Keys and roots that the device was given count before it makes its own.
    import_files(config, storage)
    identity = settle_identity(config, storage)
    import_installed(config, storage, identity.serial)
    files = ImageFiles(config.pacman.images_path, config.pacman.min_free_mib << 20)
    pace = Pace(config.uptane.polling_sec, config.uptane.max_polling_sec)
    parts = Parts(
        storage,
        _NoServer(),
        _identity(config, identity),
        make_installer(config, files, machine),
        files,
        Restart(storage, config.bootloader, restart_kind(config)),
        Consent(storage, required=config.control.consent is ConsentMode.REQUIRED),
        secondaries,
        _rules(config, pace),
        Surroundings(
            machine.clock,
            RELEASED,
            board,
            board.tell_phase,
            connect=_Connection(stack, config, machine).connect,
            running_time=RunningTime(),
        ),
    )
    board.on_pause = lambda kind: queue_event(
        storage, Event(kind, device_time(parts), identity.serial)
    )
    primary = Primary(parts)
    source = config.uptane.offline_updates_source
    medium = MountedMedium(parts, source) if config.uptane.enable_offline_updates else None
    is_online = config.uptane.enable_online_updates
    return Running(primary, parts, board, pace, medium, is_online, random.random)


def make_installer(config: ClientConfig, files: ImageFiles, machine: Machine) -> Installer:
    """Return who installs what the Primary shall run."""
    if config.pacman.type is PackageManager.NONE:
        return BinaryInstaller(files, fake_need_reboot=config.pacman.fake_need_reboot)
    return OstreeInstaller(machine.open_sysroot, config.pacman.os, config.pacman.booted)


def restart_kind(config: ClientConfig) -> RestartKind:
    """Return what a restart is for a device."""
    is_played = config.pacman.booted is Booted.STAGED or config.pacman.fake_need_reboot
    return RestartKind.EMULATED if is_played else RestartKind.MACHINE


def _rules(config: ClientConfig, pace: Pace) -> Rules:
    section = config.uptane
    has_all = section.director_files is DirectorFilesMode.ALL
    return Rules(
        director_files=DirectorFiles.ALL if has_all else DirectorFiles.TARGETS_ONLY,
        install_attempts=section.install_attempts,
        force_restart=section.force_install_completion,
        secondary_wait_s=section.secondary_preinstall_wait_sec,
        update_lock_file=section.update_lock_file,
        pace=pace,
    )


def _identity(config: ClientConfig, found: DeviceIdentity) -> Identity:
    vehicle_id = config.uptane.vehicle_id or found.device_id
    return Identity(found.serial, found.hardware_id, vehicle_id, found.key_id, found.secret)


class _Connection:
    """The link to the server: made when it is first needed, and kept."""

    def __init__(self, stack: ExitStack, config: ClientConfig, machine: Machine) -> None:
        self._stack = stack
        self._config = config
        self._tell_device_data = machine.tell_device_data
        self._connected: Parts | None = None

    def connect(self, parts: Parts) -> Parts:
        """Make the device known to its server, if it is not, and return how to speak to that.

        Raises:
            UptaneError: It cannot be now.
        """
        if self._connected is not None:
            return self._connected
        config, storage = self._config, parts.storage
        ecus = [
            EcuDescription(one.serial, one.hardware_id, one.public_key())
            for one in parts.secondaries
        ]
        found = provision(config, storage, ecus, device_time(parts))
        self._stack.callback(found.link.close)
        link = found.link
        self._connected = parts._replace(
            server=link,
            identity=_identity(config, found.identity),
            around=parts.around._replace(
                send_events=lambda: send_events(storage, link, device_time(parts)),
                send_device_data=lambda: self._send_data(storage, link, device_time(parts)),
            ),
        )
        return self._connected

    def _send_data(self, storage: Storage, link: Server, now: datetime) -> None:
        self._tell_device_data(self._config, storage, link, now)


class _NoServer:
    """The server of a device that is not known to one yet."""

    def _refuse(self) -> NoReturn:
        raise NotProvisioned("the device is not provisioned yet")

    def fetch_metadata(self, wanted: Wanted) -> bytes | None:
        del wanted
        self._refuse()

    def put_manifest(self, body: bytes) -> None:
        del body
        self._refuse()

    def open_image(
        self, name: str, uri: str, offset: int, max_bytes: int
    ) -> AbstractContextManager[ImageBody]:
        del name, uri, offset, max_bytes
        self._refuse()

    def treehub(self, uri: str = "") -> Treehub:
        del uri
        self._refuse()

    def send_events(self, events: Sequence[Object]) -> EventsOutcome:
        del events
        self._refuse()

    def send_device_data(self, kind: DeviceDataKind, body: bytes) -> None:
        del kind, body
        self._refuse()

    def campaigns(self) -> tuple[Campaign, ...]:
        self._refuse()

    def close(self) -> None:
        pass
