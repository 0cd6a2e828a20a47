# SPDX-License-Identifier: Apache-2.0
"""What every ECU runs, ran and is about to run, and what the Director has to be told of it.

::

    begin ──▶ started ──▶ applied ──▶ current ──▶ earlier
                 │           │
                 └───────────┴──▶ failed

An ECU has one installation at a time that is started or applied; the database holds that. Whoever
begins the same one again is told that it has begun: nothing is installed twice. Each change queues
its event in the same transaction.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.event_queue import Event, put_event
from ostrya.uptane.errors import StorageError
from ostrya.uptane.full_verification import Installed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from ostrya.uptane.client.storage import Storage


class State(StrEnum):
    """How far an installation has come."""

    STARTED = "started"
    APPLIED = "applied"
    """It is there, and counts after a restart."""
    CURRENT = "current"
    EARLIER = "earlier"
    FAILED = "failed"


class Target(NamedTuple):
    """What is to be installed on an ECU.

    Attributes:
        serial: Of the ECU.
        name: Of the image.
        length: How many bytes; 0 for an OSTree commit.
        hashes: Its digests.
        release_counter: None if it has none.
        correlation_id: What the Director calls the update.
    """

    serial: str
    name: str
    length: int
    hashes: Mapping[str, str]
    release_counter: int | None = None
    correlation_id: str = ""


class Install(NamedTuple):
    """An installation.

    Attributes:
        number: Grows with each.
        target: What is installed.
        state: How far it has come.
    """

    number: int
    target: Target
    state: State


class Result(NamedTuple):
    """How an installation ended.

    Attributes:
        success: Whether it runs.
        code: OK, INSTALL_FAILED, VERIFICATION_FAILED and so on.
        description: In words.
    """

    success: bool
    code: str
    description: str = ""


_REASON = "failed:"
_OPEN = (
    "SELECT id, serial, name, length, hashes, release_counter, correlation_id, state"
    " FROM installs WHERE serial = ? AND state IN ('started', 'applied')"
)
_ALL_OPEN = (
    "SELECT id, serial, name, length, hashes, release_counter, correlation_id, state"
    " FROM installs WHERE state IN ('started', 'applied') ORDER BY id"
)
_INSERT = (
    "INSERT INTO installs (serial, name, length, hashes, release_counter, correlation_id, state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_LOG = (
    "SELECT id, serial, name, length, hashes, release_counter, correlation_id, state"
    " FROM installs WHERE serial = ? ORDER BY id"
)
_CURRENT = (
    "SELECT id, serial, name, length, hashes, release_counter, correlation_id, state"
    " FROM installs WHERE state = 'current'"
)


def begin_install(storage: Storage, target: Target, now: datetime) -> Install:
    """Note that something is being installed; if it was begun before, return that.

    Raises:
        StorageError: Something else is being installed on the ECU.
    """
    with storage.transaction() as connection:
        known = open_install(storage, target.serial)
        if known is None:
            connection.execute(_INSERT, (*_row(target), State.STARTED.value))
            put_event(connection, _event("EcuInstallationStarted", target, now))
        elif (known.target.name, known.target.hashes) != (target.name, target.hashes):
            raise StorageError(
                f"{known.target.name} is being installed on {target.serial}, and not {target.name}"
            )
    return _require_open(storage, target.serial)


def put_install(connection: sqlite3.Connection, target: Target, state: State) -> None:
    """Note an installation that was somebody else's, inside that transaction; nobody is told."""
    connection.execute(_INSERT, (*_row(target), state.value))


def mark_applied(storage: Storage, serial: str, now: datetime) -> None:
    """Note that what is being installed is there, and counts after a restart.

    Raises:
        StorageError: Nothing is being installed on the ECU.
    """
    known = _require_open(storage, serial)
    if known.state is State.APPLIED:
        return
    with storage.transaction() as connection:
        connection.execute("UPDATE installs SET state = 'applied' WHERE id = ?", (known.number,))
        put_event(connection, _event("EcuInstallationApplied", known.target, now))


def finish_install(storage: Storage, serial: str, result: Result, now: datetime) -> None:
    """Note how an installation ended, for the Director and the server to be told.

    Raises:
        StorageError: Nothing is being installed on the ECU.
    """
    known = _require_open(storage, serial)
    event = _event("EcuInstallationCompleted", known.target, now)._replace(
        success=result.success, description=result.description
    )
    row = (
        known.number,
        serial,
        int(result.success),
        result.code,
        result.description,
        known.target.correlation_id,
    )
    with storage.transaction() as connection:
        if result.success:
            connection.execute(
                "UPDATE installs SET state = 'earlier' WHERE serial = ? AND state = 'current'",
                (serial,),
            )
        state = State.CURRENT if result.success else State.FAILED
        connection.execute(
            "UPDATE installs SET state = ? WHERE id = ?", (state.value, known.number)
        )
        connection.execute("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?)", row)
        if not result.success:
            _keep_reason(connection, known.target, result)
        put_event(connection, event)


def note_failure(storage: Storage, target: Target, result: Result, now: datetime) -> None:
    """Note that something came to nothing before its installation was begun, to be told likewise.

    Raises:
        StorageError: Something is being installed on the ECU.
    """
    if open_install(storage, target.serial) is not None:
        raise StorageError(f"something is being installed on {target.serial}")
    event = _event("EcuDownloadCompleted", target, now)._replace(
        success=False, description=result.description
    )
    with storage.transaction() as connection:
        cursor = connection.execute(_INSERT, (*_row(target), State.FAILED.value))
        row = (cursor.lastrowid, target.serial, 0, result.code, result.description)
        connection.execute(
            "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?)", (*row, target.correlation_id)
        )
        _keep_reason(connection, target, result)
        put_event(connection, event)


def failure_reason(storage: Storage, target: Target) -> Result | None:
    """Return why an image failed last on an ECU; None if something else failed there since."""
    value = storage.fact(_REASON + target.serial)
    if value is None:
        return None
    found = json.loads(value)
    if found["name"] != target.name:
        return None
    return Result(success=False, code=str(found["code"]), description=str(found["description"]))


def _keep_reason(connection: sqlite3.Connection, target: Target, result: Result) -> None:
    """Keep why something failed, for whoever looks: the Director's copy is forgotten once told."""
    value = {"name": target.name, "code": result.code, "description": result.description}
    row = (_REASON + target.serial, json.dumps(value, sort_keys=True).encode())
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", row)


def open_installs(storage: Storage) -> tuple[Install, ...]:
    """Return all that is being installed, on whichever ECU."""
    return tuple(_install(row) for row in storage.rows(_ALL_OPEN))


def open_install(storage: Storage, serial: str) -> Install | None:
    """Return what is being installed on an ECU; None for nothing."""
    found = storage.rows(_OPEN, serial)
    return _install(found[0]) if found else None


def install_log(storage: Storage, serial: str) -> tuple[Install, ...]:
    """Return all installations on an ECU, the oldest first."""
    return tuple(_install(row) for row in storage.rows(_LOG, serial))


def installed_images(storage: Storage) -> dict[str, Installed]:
    """Return what each ECU runs, as far as it was installed from here."""
    found = [_install(row).target for row in storage.rows(_CURRENT)]
    return {one.serial: Installed(one.name, one.hashes, one.release_counter) for one in found}


def failures(storage: Storage, target: Target) -> int:
    """Return how often an image failed on an ECU: what is tried for ever helps nobody."""
    log = install_log(storage, target.serial)
    return sum(
        one.state is State.FAILED and one.target.hashes == target.hashes
        for one in log
        if one.target.name == target.name
    )


def results(storage: Storage) -> dict[int, tuple[str, Result, str]]:
    """Return what the Director has still to be told: ECU, result, correlation id, by number."""
    found = storage.rows(
        "SELECT install, serial, success, code, description, correlation_id FROM results"
        " ORDER BY install"
    )
    return {
        int(str(number)): (str(serial), Result(bool(success), str(code), str(words)), str(update))
        for number, serial, success, code, words, update in found
    }


def forget_results(storage: Storage, numbers: tuple[int, ...]) -> None:
    """Forget results that the Director has."""
    with storage.transaction() as connection:
        rows = [(number,) for number in numbers]
        connection.executemany("DELETE FROM results WHERE install = ?", rows)


def _require_open(storage: Storage, serial: str) -> Install:
    found = open_install(storage, serial)
    if found is None:
        raise StorageError(f"nothing is being installed on {serial}")
    return found


def _install(row: tuple[object, ...]) -> Install:
    number, serial, name, length, hashes, counter, correlation_id, state = row
    target = Target(
        str(serial),
        str(name),
        int(str(length)),
        json.loads(str(hashes)),
        counter if isinstance(counter, int) else None,
        str(correlation_id),
    )
    return Install(int(str(number)), target, State(str(state)))


def _row(target: Target) -> tuple[object, ...]:
    return (
        target.serial,
        target.name,
        target.length,
        json.dumps(dict(target.hashes), sort_keys=True),
        target.release_counter,
        target.correlation_id,
    )


def _event(kind: str, target: Target, now: datetime) -> Event:
    return Event(kind, now, target.serial, target.correlation_id)
