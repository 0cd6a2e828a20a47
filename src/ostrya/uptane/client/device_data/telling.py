# SPDX-License-Identifier: Apache-2.0
"""Tell the server what it does not know yet of a device.

Of what was told, the database has a digest; the same again is not sent. Whatever goes wrong is kept
as a trouble of its own, and keeps no update from happening.
"""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING

from ostrya.errors import CommandFailed, OstryaError
from ostrya.uptane.client.device_data.hardware import find_hardware
from ostrya.uptane.client.device_data.network import find_network
from ostrya.uptane.client.device_data.packages import installed_packages
from ostrya.uptane.client.device_data.settings import config_toml
from ostrya.uptane.client.server import DeviceDataKind
from ostrya.uptane.client.state import Area, clear_trouble, note_trouble
from ostrya.uptane.errors import ServerUnreachable, ServerUntrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.server import Server
    from ostrya.uptane.client.storage import Storage

log = logging.getLogger(__name__)

_PREFIX = "told:"


def send_device_data(
    config: ClientConfig,
    storage: Storage,
    server: Server,
    now: datetime,
    *,
    hardware_file: str = "",
) -> tuple[DeviceDataKind, ...]:
    """Send what the server does not know yet; return what was sent.

    Args:
        config: What may be told.
        storage: What was told before.
        server: Whom to tell.
        now: The time.
        hardware_file: A JSON file that says what ``lshw`` would; empty for none.
    """
    sent: list[DeviceDataKind] = []
    trouble: OstryaError | OSError | None = None
    for kind, collect in _kinds(config, hardware_file):
        try:
            body = collect()
            if body and _tell(storage, server, kind, body):
                sent.append(kind)
        except (OstryaError, OSError) as exc:
            log.warning("device data was not sent kind=%s error=%s", kind.word, exc)
            trouble = exc
            if isinstance(exc, ServerUnreachable | ServerUntrusted):
                # It would not answer to the others either.
                break
    if trouble is not None:
        note_trouble(storage, Area.DEVICE_DATA, trouble, now)
    else:
        clear_trouble(storage, Area.DEVICE_DATA)
    return tuple(sent)


def told_fact(kind: DeviceDataKind) -> str:
    """Return the name of the fact that says what the server was told."""
    return _PREFIX + kind.word


def _kinds(
    config: ClientConfig, hardware_file: str
) -> Iterator[tuple[DeviceDataKind, Callable[[], bytes]]]:
    section = config.telemetry
    if section.report_network:
        yield DeviceDataKind.NETWORK, lambda: _bytes(find_network().to_json())
    if section.report_hardware:
        yield DeviceDataKind.HARDWARE, lambda: _hardware(section.hardware_command, hardware_file)
    if section.report_packages:
        yield DeviceDataKind.PACKAGES, lambda: _packages(config.pacman.packages_file)
    if section.report_config:
        yield DeviceDataKind.CONFIG, lambda: config_toml(config).encode()


def _tell(storage: Storage, server: Server, kind: DeviceDataKind, body: bytes) -> bool:
    digest = hashlib.sha256(body).digest()
    if storage.fact(told_fact(kind)) == digest:
        return False
    server.send_device_data(kind, body)
    # Killed before this, it is sent once more: that changes nothing at the server.
    storage.set_fact(told_fact(kind), digest)
    return True


def _hardware(command: str, given_file: str) -> bytes:
    try:
        value = find_hardware(command, given_file)
    except CommandFailed:
        if command:
            raise
        # Some boards have an lshw that fails; the device is none the worse for it.
        value = None
    return b"" if value is None else _bytes(value)


def _packages(packages_file: str) -> bytes:
    found = installed_packages(packages_file)
    return _bytes([{"name": name, "version": version} for name, version in found])


def _bytes(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
