# SPDX-License-Identifier: Apache-2.0
"""A device at a glance, as its database has it: who it is, what it runs, and what is wrong.

Nothing is written, and nobody is asked: it works beside a running client, and without a network.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client import installs
from ostrya.uptane.client.attempts import is_given_up
from ostrya.uptane.client.clock_check import clock_fault
from ostrya.uptane.client.credentials import GATEWAY
from ostrya.uptane.client.identity import DEVICE_ID, HARDWARE_ID, SERIAL, fact_text
from ostrya.uptane.client.installs import State
from ostrya.uptane.client.provisioning import misconfigured_ecus, registered_ecus
from ostrya.uptane.client.state import (
    Condition,
    Trouble,
    last_contact,
    last_success,
    load_troubles,
)
from ostrya.uptane.client.trust_store import load_files, load_time_floor
from ostrya.uptane.client.vehicle_manifest import load_attacks
from ostrya.uptane.metadata.fields import parse_time
from ostrya.uptane.steps import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.installs import Install, Result, Target
    from ostrya.uptane.client.storage import Storage

CLOCK, STORAGE = "clock", "storage"
"""Where something can be wrong besides the areas that the client notes."""
_LITTLE_BYTES = 256 * 1024


class SeenEcu(NamedTuple):
    """An ECU.

    Attributes:
        serial: Which one.
        hardware_id: Of which kind.
        installed: What it runs, as far as it was installed as an update; None for nothing.
        pending: What is being installed; None for nothing.
        given_up: What is not tried again; None for nothing.
        reason: Why that failed last; None if nobody knows any more.
    """

    serial: str
    hardware_id: str
    installed: Target | None = None
    pending: Install | None = None
    given_up: Target | None = None
    reason: Result | None = None


class SeenFile(NamedTuple):
    """A file of metadata that is trusted.

    Attributes:
        repository: Whose.
        role: Which.
        version: Its number.
        expires: When it ends, as text.
        is_expired: Whether that is over.
    """

    repository: Repository
    role: str
    version: int
    expires: str
    is_expired: bool


class Overview(NamedTuple):
    """What there is to see.

    Attributes:
        device_id: What the server calls it; empty before it has a certificate.
        server: The gateway's address; empty if nobody said it yet.
        ecus: The Primary first.
        misconfigured: ECUs that it had once.
        is_provisioned: Whether the server knows it and its ECUs.
        metadata: What is trusted.
        troubles: What is wrong, by where.
        attacks: What was noted and is not told yet, by ECU.
        contact: When the server answered last; empty for never.
        success: When a whole cycle went well last; empty for never.
        events: How many wait to be handed in.
    """

    device_id: str = ""
    server: str = ""
    ecus: tuple[SeenEcu, ...] = ()
    misconfigured: tuple[str, ...] = ()
    is_provisioned: bool = False
    metadata: tuple[SeenFile, ...] = ()
    troubles: Mapping[str, Trouble] = {}
    attacks: Mapping[str, str] = {}
    contact: str = ""
    success: str = ""
    events: int = 0

    @property
    def has_metadata(self) -> bool:
        """Whether the Director has said something."""
        found = {(one.repository, one.role) for one in self.metadata}
        return (Repository.DIRECTOR, "targets") in found


def look(
    config: ClientConfig, storage: Storage | None, clock: datetime, built_at: datetime
) -> Overview:
    """Return what there is to see.

    Args:
        config: What the device is told.
        storage: What it knows; None where no client of ours ever ran.
        clock: What the clock says.
        built_at: When the program was built: it cannot be earlier.

    Raises:
        StorageError: The database cannot be read.
    """
    if storage is None:
        words = f"no client has worked with {config.database_path} yet"
        hint = "`ostrya ota provision` makes the device one of its fleet's"
        if os.path.exists(config.database_path):
            words = f"what is in {config.database_path} is another client's, such as aktualizr's"
            hint = "`ostrya ota provision` goes on with it, under the same name and with its keys"
        none = Trouble(Condition.NOT_PROVISIONED, words, hint, clock, clock)
        return Overview(server=config.tls.server, troubles={"provisioning": none})
    floor = load_time_floor(storage, built_at)
    now = floor.now(clock)
    device_id = fact_text(storage, DEVICE_ID)
    known = registered_ecus(storage)
    troubles = {area.value: trouble for area, trouble in load_troubles(storage).items()}
    if not (device_id and known) and "provisioning" not in troubles:
        hint = "`ostrya ota provision` goes on with it, and so does the client"
        words = "the server does not know the device yet"
        troubles["provisioning"] = Trouble(Condition.NOT_PROVISIONED, words, hint, now, now)
    words = clock_fault(floor, clock)
    if words:
        hint = "set the clock; until then that time is taken for the present one"
        troubles[CLOCK] = Trouble(Condition.CLOCK_WRONG, words, hint, clock, clock)
    if _free_bytes(storage.path) < _LITTLE_BYTES:
        words = f"there is no room left where {storage.path} is"
        hint = "make room on its file system; the device keeps what it runs"
        troubles[STORAGE] = Trouble(Condition.DISK_FULL, words, hint, now, now)
    attempts = config.uptane.install_attempts
    return Overview(
        device_id,
        config.tls.server or fact_text(storage, GATEWAY),
        tuple(_ecus(storage, known, attempts)),
        tuple(sorted(misconfigured_ecus(storage))),
        bool(device_id and known),
        tuple(_metadata(storage, now)),
        troubles,
        load_attacks(storage),
        last_contact(storage),
        last_success(storage),
        int(str(storage.rows("SELECT count(*) FROM events")[0][0])),
    )


def _free_bytes(path: str) -> int:
    found = os.statvfs(os.path.dirname(os.path.abspath(path)))
    return found.f_bavail * found.f_frsize


# ------------------------------------------------------------------------------- ECUs


def _ecus(storage: Storage, known: dict[str, str], attempts: int) -> Iterator[SeenEcu]:
    serial = fact_text(storage, SERIAL)
    if serial and serial not in known:
        known = {serial: fact_text(storage, HARDWARE_ID), **known}
    for each, kind in known.items():
        log = installs.install_log(storage, each)
        running = [one.target for one in log if one.state is State.CURRENT]
        given_up = _given_up(log, attempts)
        yield SeenEcu(
            each,
            kind,
            running[-1] if running else None,
            installs.open_install(storage, each),
            given_up,
            None if given_up is None else installs.failure_reason(storage, given_up),
        )


def _given_up(log: tuple[Install, ...], attempts: int) -> Target | None:
    """Return what was tried last, if it is not tried any more."""
    if not log or log[-1].state is not State.FAILED:
        return None
    last = log[-1].target
    return last if is_given_up(log, last, attempts) else None


# --------------------------------------------------------------------------- metadata


def _metadata(storage: Storage, now: datetime) -> Iterator[SeenFile]:
    for repository in Repository:
        for role, data in sorted(load_files(storage, repository).items()):
            signed = json.loads(data)["signed"]
            expires = str(signed["expires"])
            is_expired = parse_time(expires, "expires") <= now
            yield SeenFile(repository, role, int(signed["version"]), expires, is_expired)
