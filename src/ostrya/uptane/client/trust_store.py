# SPDX-License-Identifier: Apache-2.0
"""What a device trusts, kept: metadata of both repositories, all their roots, the floor of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.uptane.errors import StorageError
from ostrya.uptane.metadata.fields import format_time, parse_time
from ostrya.uptane.time_floor import TimeFloor
from ostrya.uptane.trusted_set import DEFAULT_LIMITS, open_trusted

if TYPE_CHECKING:
    from datetime import datetime

    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.metadata.dialect import Dialect
    from ostrya.uptane.steps import Accepted, Repository
    from ostrya.uptane.trusted_set import Limits, Trusted

_FLOOR = "time-floor"
_ROOT = "root"


def set_first_root(storage: Storage, repository: Repository, data: bytes) -> None:
    """Keep the root that a device is given when it is made.

    Raises:
        StorageError: It has one already, which only its own keys can replace.
    """
    with storage.transaction() as connection:
        query = "SELECT count(*) FROM metadata WHERE repository = ?"
        if connection.execute(query, (repository.value,)).fetchone()[0]:
            raise StorageError(f"{storage.path} has a root of the {repository.shown} already")
        row = (repository.value, _ROOT, data)
        connection.execute("INSERT INTO metadata VALUES (?, ?, ?)", row)


def load_trusted(
    storage: Storage, repository: Repository, dialect: Dialect, limits: Limits = DEFAULT_LIMITS
) -> Trusted:
    """Return what is trusted of a repository.

    Raises:
        MetadataInvalid: There is no root.
    """
    return open_trusted(repository.shown, dialect, load_files(storage, repository), limits)


def load_files(storage: Storage, repository: Repository) -> dict[str, bytes]:
    """Return the files of a repository by role, as they were kept."""
    found = storage.rows("SELECT role, data FROM metadata WHERE repository = ?", repository.value)
    return {role: data for role, data in found if isinstance(role, str) and isinstance(data, bytes)}


def keep(storage: Storage, accepted: Accepted) -> None:
    """Keep what was accepted, as a whole; once this returns, it survives a power cut."""
    name, trusted = accepted.repository.value, accepted.trusted
    rows = [(name, role, data) for role, data in trusted.files.items()]
    root = (name, trusted.root.header.version, trusted.files[_ROOT])
    with storage.transaction() as connection:
        connection.execute("DELETE FROM metadata WHERE repository = ?", (name,))
        connection.executemany("INSERT INTO metadata VALUES (?, ?, ?)", rows)
        connection.execute("INSERT OR REPLACE INTO roots VALUES (?, ?, ?)", root)


def load_roots(storage: Storage, repository: Repository) -> dict[int, bytes]:
    """Return all roots of a repository that were kept, by their versions."""
    query = "SELECT version, data FROM roots WHERE repository = ?"
    found = storage.rows(query, repository.value)
    return {
        version: data
        for version, data in found
        if isinstance(version, int) and isinstance(data, bytes)
    }


def roots_after(storage: Storage, repository: Repository, version: int) -> tuple[bytes, ...]:
    """Return the roots that come after one, in order: what a Secondary has to catch up with.

    Raises:
        StorageError: One between was never seen here.
    """
    found = storage.rows(
        "SELECT version, data FROM roots WHERE repository = ? AND version > ? ORDER BY version",
        repository.value,
        version,
    )
    for at, (number, _) in enumerate(found):
        if number != version + 1 + at:
            raise StorageError(f"root {version + 1 + at} of the {repository.shown} is not kept")
    return tuple(data for _, data in found if isinstance(data, bytes))


def load_time_floor(storage: Storage, built_at: datetime) -> TimeFloor:
    """Return the moment before which it cannot be: when the program was built, or later."""
    value = storage.fact(_FLOOR)
    floor = TimeFloor(built_at)
    if value is None:
        return floor
    return floor.raised(parse_time(value.decode("ascii", "replace"), "the floor of time"))


def keep_time_floor(storage: Storage, floor: TimeFloor) -> None:
    """Keep the floor; it never falls."""
    known = load_time_floor(storage, floor.moment)
    storage.set_fact(_FLOOR, format_time(known.moment).encode())
