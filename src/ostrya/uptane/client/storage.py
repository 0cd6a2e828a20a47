# SPDX-License-Identifier: Apache-2.0
"""The database of a device: opened, checked, and changed as a whole or not at all.

A newer program may add tables and columns; an older one goes on with such a database, as it has to
when the system is rolled back. Where it could not, the newer one says so in ``schema``.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from ostrya.uptane.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA = 1
"""Of this program."""
BUSY_TIMEOUT_S = 5.0

_TABLES = """
CREATE TABLE schema (version INTEGER NOT NULL, usable_from INTEGER NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE metadata (
    repository TEXT NOT NULL, role TEXT NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (repository, role)
);
CREATE TABLE roots (
    repository TEXT NOT NULL, version INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (repository, version)
);
CREATE TABLE counters (serial TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE installs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    serial TEXT NOT NULL, name TEXT NOT NULL, length INTEGER NOT NULL, hashes TEXT NOT NULL,
    release_counter INTEGER, correlation_id TEXT NOT NULL, state TEXT NOT NULL
);
CREATE UNIQUE INDEX one_open_install ON installs (serial) WHERE state IN ('started', 'applied');
CREATE UNIQUE INDEX one_current_image ON installs (serial) WHERE state = 'current';
CREATE TABLE results (
    install INTEGER PRIMARY KEY, serial TEXT NOT NULL, success INTEGER NOT NULL,
    code TEXT NOT NULL, description TEXT NOT NULL, correlation_id TEXT NOT NULL
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE, body TEXT NOT NULL
);
"""
_COUNT_COLUMNS = (
    "SELECT count(*) FROM pragma_table_info('ecu_report_counter')"
    " WHERE name IN ('ecu_serial', 'counter')"
)


class Storage:
    """An open database.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: str, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Change something: all of it, once this ends, or nothing.

        Raises:
            StorageError: The disk is full, or another program holds the database.
        """
        with _told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            with _told(self.path):
                yield self._connection
                self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Return what a query gives."""
        with _told(self.path):
            return list(self._connection.execute(query, values))

    def fact(self, name: str) -> bytes | None:
        """Return a fact; None if nothing is known."""
        found = self.rows("SELECT value FROM facts WHERE name = ?", name)
        value = found[0][0] if found else None
        return value if isinstance(value, bytes) else None

    def set_fact(self, name: str, value: bytes) -> None:
        """Remember a fact."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def set_facts(self, facts: Mapping[str, bytes]) -> None:
        """Remember facts that belong together: all of them, or none."""
        with self.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    def forget_fact(self, name: str) -> None:
        """Forget a fact."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM facts WHERE name = ?", (name,))

    def next_counter(self, serial: str) -> int:
        """Return a number that was never returned for an ECU, and will not be again.

        Where aktualizr has the same database, its own is moved on too: a device that goes back to
        it would else send reports that its server has to take for old ones.
        """
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO counters VALUES (?, 1)"
                " ON CONFLICT (serial) DO UPDATE SET value = value + 1",
                (serial,),
            )
            found = self.rows("SELECT value FROM counters WHERE serial = ?", serial)[0][0]
            value = found if isinstance(found, int) else 0
            # Not any table of that name: it has both columns.
            if self.rows(_COUNT_COLUMNS)[0][0] == 2:
                connection.execute(
                    "UPDATE ecu_report_counter SET counter = ?1"
                    " WHERE ecu_serial = ?2 AND counter < ?1",
                    (value, serial),
                )
        return value

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def open_storage(path: str) -> Storage:
    """Open a device's database; it is made if it is not there, for nobody else to read.

    Raises:
        StorageError: It is damaged, of a program that is too new, held by another one, or cannot be
            made.
    """
    with in_its_folder(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    with _told(path):
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        storage = Storage(path, connection)
        try:
            _prepare(storage, connection)
        except BaseException:
            connection.close()
            raise
    return storage


@contextmanager
def in_its_folder(path: str) -> Iterator[None]:
    """Make the folder of a database, and say what it means if something there cannot be made.

    Raises:
        StorageError: It cannot.
    """
    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        yield
    except OSError as exc:
        error = StorageError(
            f"what the device knows cannot be kept in {path}: {exc.strerror}",
            hint="run this as root; `path` of [storage] names the folder",
        )
        error.is_full = exc.errno in {errno.ENOSPC, errno.EDQUOT}
        raise error from exc


def open_to_read(path: str) -> Storage | None:
    """Open a device's database beside a running client, to look only; None if there is none.

    Raises:
        StorageError: It cannot be read, or is damaged.
    """
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        is_denied = isinstance(exc, PermissionError)
        raise StorageError(
            f"{path} cannot be read: {exc.strerror}",
            hint="run this as root: the device's keys are in it" if is_denied else "",
        ) from exc
    with _told(path):
        # Not mode=ro: what a client that was killed left half-done is taken back by whoever comes.
        uri = f"file:{quote(os.path.abspath(path))}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA query_only = ON")
            is_made = _has_schema(connection)
        except BaseException:
            connection.close()
            raise
    if is_made:
        return Storage(path, connection)
    connection.close()
    return None


def _prepare(storage: Storage, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    # EXTRA waits for the directory too, in which the journal is deleted: that is the commit.
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != ("ok",):
        raise _damaged(storage.path)
    if not _has_schema(connection):
        with storage.transaction():
            # Another process may have made them since.
            if not _has_schema(connection):
                for statement in filter(str.strip, _TABLES.split(";\n")):
                    connection.execute(statement)
                connection.execute("INSERT INTO schema VALUES (?, ?)", (SCHEMA, SCHEMA))
    version, usable_from = connection.execute("SELECT version, usable_from FROM schema").fetchone()
    if usable_from > SCHEMA:
        raise StorageError(
            f"{storage.path} was written by a newer program (schema {version}), and can be used"
            f" from schema {usable_from} on; this one has {SCHEMA}",
            hint="install a newer release of the program",
        )


def _has_schema(connection: sqlite3.Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'schema'"
    found: tuple[int] = connection.execute(query).fetchone()
    return found[0] > 0


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Say what SQLite's errors mean."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as exc:
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            raise StorageError(
                f"{path} is held by another program", hint="only one client runs at a time"
            ) from exc
        if code == sqlite3.SQLITE_FULL:
            error = StorageError(
                f"there is no room for a change of {path}",
                hint="make room on its file system; nothing was changed",
            )
            error.is_full = True
            raise error from exc
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise _damaged(path) from exc
        raise StorageError(f"{path}: {exc}") from exc


def _damaged(path: str) -> StorageError:
    return StorageError(
        f"{path} is damaged",
        hint="move it away and provision the device again; what runs goes on running",
    )
