# SPDX-License-Identifier: Apache-2.0
"""The other ECUs of a vehicle, made of what the configuration says.

Of an ECU at the other end of a wire it is remembered who it is: it need not be there every time.
"""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from ostrya.uptane.client.errors import SecondaryRefused, SecondaryUnreachable
from ostrya.uptane.client.key_file import load_key
from ostrya.uptane.client.secondaries.ecu import Ecu
from ostrya.uptane.client.secondaries.ecu_identity import EcuIdentity
from ostrya.uptane.client.secondaries.firmware import FileFirmware
from ostrya.uptane.client.secondaries.ip import (
    EcuInfo,
    IpSecondary,
    ask_info,
    ask_info_over,
)
from ostrya.uptane.client.secondaries.virtual import VirtualSecondary
from ostrya.uptane.client.secondaries.waiting import Waiting
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.metadata.keys import Key, uptane_key_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ostrya.uptane.client.secondaries.config import EcusConfig, IpEcu, VirtualEcu
    from ostrya.uptane.client.secondaries.link import Address, Connection
    from ostrya.uptane.client.secondaries.secondary import Secondary
    from ostrya.uptane.client.storage import Storage

log = logging.getLogger(__name__)

_KNOWN = "ecu-at:"
_PAUSE_S = 1.0


def build_secondaries(
    stack: ExitStack,
    config: EcusConfig,
    storage: Storage,
    clock: Callable[[], datetime],
    built_at: datetime,
) -> tuple[Secondary, ...]:
    """Return all ECUs that are there, or were before; ``stack`` closes what was opened.

    Args:
        stack: For databases of ECUs in this process.
        config: Which ECUs there are.
        storage: The Primary's database.
        clock: The device's clock.
        built_at: When the program was built.

    Raises:
        UptaneError: One cannot be made.
        OSError: Its files cannot be written.
    """
    found: list[Secondary] = [
        VirtualSecondary(_virtual(stack, one, clock, built_at)) for one in config.virtual
    ]
    infos = _find_all(storage, config)
    found += [
        IpSecondary(one.address, infos[str(one.address)], one.verification)
        for one in config.ip
        if str(one.address) in infos
    ]
    return tuple(found)


def _virtual(
    stack: ExitStack, one: VirtualEcu, clock: Callable[[], datetime], built_at: datetime
) -> Ecu:
    secret = load_key(one.private_key, one.key_kind)
    key_id = uptane_key_id(secret.key)
    identity = EcuIdentity(one.serial or key_id, one.hardware_id, key_id, secret, one.verification)
    storage = stack.enter_context(open_storage(os.path.join(one.metadata_path, "sql.db")))
    firmware = FileFirmware(one.firmware_path, one.name_path)
    return Ecu(storage, identity, firmware, clock, built_at)


def _find_all(storage: Storage, config: EcusConfig) -> dict[str, EcuInfo]:
    """Return who is at which address; of those that are not there, who was."""
    deadline = time.monotonic() + config.wait_s
    found: dict[str, EcuInfo] = {}
    missing = [one for one in config.ip if not _find(storage, one, found)]
    if not missing or not config.wait_s:
        return found
    with ExitStack() as stack:
        waiting = None
        if config.wait_port:
            try:
                waiting = stack.enter_context(Waiting(config.wait_port))
            except OSError as exc:
                log.warning("ECUs cannot come port=%s error=%s", config.wait_port, exc)
        while missing and time.monotonic() < deadline:
            if waiting is None:
                time.sleep(_PAUSE_S)
            else:
                _let_one_come(storage, waiting, missing, found)
            missing = [one for one in missing if not _find(storage, one, found)]
    return found


def _let_one_come(
    storage: Storage, waiting: Waiting, missing: list[IpEcu], found: dict[str, EcuInfo]
) -> None:
    def ask(address: Address, connection: Connection) -> None:
        one = next(ecu for ecu in missing if ecu.address == address)
        with suppress(SecondaryUnreachable, SecondaryRefused):
            found[str(address)] = _keep(storage, one, ask_info_over(address, connection))

    waiting.next([one.address for one in missing], ask, _PAUSE_S)


def _find(storage: Storage, one: IpEcu, found: dict[str, EcuInfo]) -> bool:
    """Ask an ECU who it is; if it is not there, it is who it was."""
    if str(one.address) in found:
        return True
    try:
        found[str(one.address)] = _keep(storage, one, ask_info(one.address))
    except (SecondaryUnreachable, SecondaryRefused) as exc:
        known = _known(storage, one)
        log.warning("an ECU is not there address=%s reason=%s", one.address, exc.message)
        if known is None:
            return False
        found[str(one.address)] = known
    return True


def _keep(storage: Storage, one: IpEcu, info: EcuInfo) -> EcuInfo:
    known = _known(storage, one)
    if known is not None and known.serial != info.serial:
        log.warning(
            "an ECU was replaced address=%s old=%s new=%s", one.address, known.serial, info.serial
        )
    if known is None or _encode(known) != _encode(info):
        storage.set_fact(_KNOWN + str(one.address), _encode(info))
    return info


def _known(storage: Storage, one: IpEcu) -> EcuInfo | None:
    value = storage.fact(_KNOWN + str(one.address))
    if value is None:
        return None
    serial, hardware_id, kind, public = json.loads(value)
    return EcuInfo(serial, hardware_id, Key(kind.upper(), "", public))


def _encode(info: EcuInfo) -> bytes:
    return json.dumps([info.serial, info.hardware_id, info.key.kind, info.key.public]).encode()
