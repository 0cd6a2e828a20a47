# SPDX-License-Identifier: Apache-2.0
"""Connections to read with, and the one thread that writes.

What changes something is a function of a connection. The writer takes all that wait, does each in a
savepoint of its own, and commits once: what one of them refuses undoes nothing of the others, and
nobody is told that something is done before it survives a crash.

SQLite lets one process write at a time. So that none ever finds it locked, processes queue at a
lock beside the database, and readers see the state before (WAL).
"""

from __future__ import annotations

import os
import queue
import threading
import time
from concurrent.futures import Future
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Self, TypeVar, cast

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from ostrya._linux.flock import find_holders, try_lock, unlock
from ostrya.fleet.db.migrate import migrate
from ostrya.fleet.errors import SetupError, Unavailable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Engine

T = TypeVar("T")
MAX_BATCH = 512
LOCK_TIMEOUT_S = 60.0
_LOCK_PAUSE_S = 0.002
_WRITES = "ostrya_writes"


class _Job:
    """A change that waits; or one item of many that are done together."""

    __slots__ = ("change", "future", "item")

    def __init__(self, change: object, item: object, future: Future[object]) -> None:
        self.change = change
        self.item = item
        self.future = future


_SINGLE = object()


class Database:
    """An open database.

    Attributes:
        engine: SQLAlchemy's.
        is_sqlite: Whether it is a file here.
    """

    def __init__(self, engine: Engine, *, linger_s: float = 0.0) -> None:
        """Use an engine; see `open_database`.

        Args:
            engine: SQLAlchemy's.
            linger_s: How long the first change of a transaction waits for others.
        """
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._linger_s = linger_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()
        self._lock_fd = -1
        if self.is_sqlite and engine.url.database:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._lock_fd = os.open(f"{engine.url.database}.lock", flags, 0o600)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Lend a connection that sees one state, and changes nothing.

        Raises:
            Unavailable: There is no database.
        """
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except OperationalError as exc:
            raise _unavailable(exc) from exc

    def write(self, change: Callable[[Connection], T]) -> T:
        """Change something, and return once it survives a crash.

        Raises:
            Unavailable: The database does not take it.
        """
        return self.submit(change).result()

    def submit(self, change: Callable[[Connection], T]) -> Future[T]:
        """Let the writer change something."""
        return cast("Future[T]", self._enqueue(change, _SINGLE))

    def submit_item(
        self, change: Callable[[Connection, Sequence[T]], None], item: T
    ) -> Future[None]:
        """Let the writer change something together with others of the kind that wait."""
        return cast("Future[None]", self._enqueue(change, item))

    def copy_to(self, path: str) -> None:
        """Write one state of it into another file, while others write here.

        Raises:
            SetupError: It is no file.
            OSError: It cannot be written.
        """
        import sqlite3

        if not self.is_sqlite or not self.engine.url.database:
            raise SetupError(
                "the database is on another machine, or in memory",
                hint="a server of databases has a program for that: pg_dump",
            )
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            with (
                closing(sqlite3.connect(self.engine.url.database, timeout=60)) as here,
                closing(sqlite3.connect(path)) as there,
            ):
                here.backup(there)
        except sqlite3.Error as exc:
            raise _unavailable(exc) from exc

    def close(self) -> None:
        """Wait for what is under way, and close all connections."""
        with self._start:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()
        self.engine.dispose()
        if self._lock_fd != -1:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # ---------------------------------------------------------------------- the writer

    def _enqueue(self, change: object, item: object) -> Future[object]:
        future: Future[object] = Future()
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fleet-writer", daemon=True)
                self._thread.start()
        self._jobs.put(_Job(change, item, future))
        return future

    def _run(self) -> None:
        while True:
            first = self._jobs.get()
            if first is None:
                return
            if self._linger_s:
                time.sleep(self._linger_s)
            batch, ends = self._take(first)
            self._write_batch(batch)
            if ends:
                return

    def _take(self, first: _Job) -> tuple[list[_Job], bool]:
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    def _write_batch(self, batch: list[_Job]) -> None:
        outcomes: list[tuple[_Job, object, BaseException | None]] = []
        try:
            with (
                self._turn(),
                self.engine.connect().execution_options(**{_WRITES: True}) as connection,
                connection.begin(),
            ):
                for change, jobs in _gather(batch):
                    outcomes += _do(connection, change, jobs)
        except BaseException as exc:  # noqa: BLE001  # whatever it is, those who wait are told
            failure = _unavailable(exc) if isinstance(exc, DBAPIError) else exc
            outcomes = [(job, None, failure) for job in batch]
        for job, result, error in outcomes:
            if error is not None:
                job.future.set_exception(error)
            else:
                job.future.set_result(result)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._lock_fd == -1:
            yield
            return
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while not try_lock(self._lock_fd, exclusive=True):
            if time.monotonic() > deadline:
                holders = ", ".join(map(str, find_holders(self._lock_fd))) or "another process"
                raise Unavailable(f"the database is being changed by {holders}")
            time.sleep(_LOCK_PAUSE_S)
        try:
            yield
        finally:
            unlock(self._lock_fd)


def _gather(batch: list[_Job]) -> list[tuple[object, list[_Job]]]:
    """Put items of one kind together, where the first of them is."""
    order: list[tuple[object, list[_Job]]] = []
    kinds: dict[object, list[_Job]] = {}
    for job in batch:
        if job.item is _SINGLE:
            order.append((job.change, [job]))
        elif job.change in kinds:
            kinds[job.change].append(job)
        else:
            kinds[job.change] = [job]
            order.append((job.change, kinds[job.change]))
    return order


def _do(
    connection: Connection, change: object, jobs: list[_Job]
) -> list[tuple[_Job, object, BaseException | None]]:
    savepoint = connection.begin_nested()
    try:
        if jobs[0].item is _SINGLE:
            result = cast("Callable[[Connection], object]", change)(connection)
        else:
            items = [job.item for job in jobs]
            cast("Callable[[Connection, Sequence[object]], None]", change)(connection, items)
            result = None
        savepoint.commit()
    except Exception as exc:  # noqa: BLE001  # it is of whoever wanted the change
        try:
            savepoint.rollback()
        except DBAPIError:
            # A full disk takes the whole transaction back, so all who wait have to hear of it.
            raise exc from None
        told = _unavailable(exc) if isinstance(exc, OperationalError) else exc
        return [(job, None, told) for job in jobs]
    return [(job, result, None) for job in jobs]


def open_database(url: str, *, pool: int = 8, linger_s: float = 0.0) -> Database:
    """Open a database.

    Raises:
        SetupError: There is none of that kind, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            # The driver that the extra installs.
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(
                parsed, pool_size=pool, connect_args={"check_same_thread": False, "timeout": 60}
            )
            if parsed.database:
                os.close(os.open(parsed.database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = create_engine(parsed, pool_size=pool, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as exc:
        raise SetupError(
            f"the database {url.partition(':')[0]}: is not understood: {exc}",
            hint="sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
        ) from None
    except ModuleNotFoundError as exc:
        raise SetupError(
            f"the driver {exc.name} of the database is not installed",
            hint="pip install 'ostrya[fleet-postgresql]'",
        ) from None
    return Database(engine, linger_s=linger_s)


def bring_up_to_date(database: Database) -> tuple[str, ...]:
    """Make the tables those of this program; return the steps that were taken.

    Raises:
        SetupError: The database is of a newer program.
        Unavailable: There is no database.
    """
    return database.write(migrate)


def _prepare_sqlite(connection: object, _record: object) -> None:
    found = cast("sqlite3.Connection", connection)
    # Transactions begin and end where SQLAlchemy says so, not where this driver would.
    found.isolation_level = None
    for words in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
    ):
        found.execute(f"PRAGMA {words}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _unavailable(exc: BaseException) -> Unavailable:
    told = getattr(exc, "orig", None) or exc
    words = str(told).strip().splitlines()
    return Unavailable(f"the database does not answer: {words[0] if words else 'no reason given'}")
