# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import multiprocessing
import stat
import threading

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from ostrya.fleet.db import devices, schema
from ostrya.fleet.db.database import bring_up_to_date, open_database
from ostrya.fleet.errors import SetupError, Unavailable


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/a.db"


@pytest.fixture
def database(url):
    with open_database(url, linger_s=0.01) as found:
        bring_up_to_date(found)
        yield found


def count(database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(schema.devices)).scalar_one()


def test_one_that_is_refused_undoes_nothing_of_the_others(database):
    names = ["a", "b", "a", "c"]
    futures = [
        database.submit(lambda connection, name=name: devices.add_device(connection, name, 1))
        for name in names
    ]
    outcomes = [one.exception(10) for one in futures]
    assert [type(one) for one in outcomes] == [type(None), type(None), IntegrityError, type(None)]
    assert count(database) == 3


def test_items_of_a_kind_are_written_together(database):
    batches = []

    def write(_connection, items):
        batches.append(list(items))

    gate = threading.Event()
    first = database.submit(lambda _: gate.wait(10))
    futures = [database.submit_item(write, number) for number in range(5)]
    gate.set()
    assert first.result(10)
    for one in futures:
        assert one.result(10) is None
    assert [one for batch in batches for one in batch] == list(range(5))
    assert len(batches) <= 2


def test_reading_goes_on_while_something_is_written(database):
    begun, gate = threading.Event(), threading.Event()

    def write(connection):
        devices.add_device(connection, "a", 1)
        begun.set()
        gate.wait(10)

    future = database.submit(write)
    assert begun.wait(10)
    assert count(database) == 0
    gate.set()
    future.result(10)
    assert count(database) == 1


def _write_many(url: str, name: str, errors) -> None:
    with open_database(url) as database:
        for number in range(40):
            try:
                database.write(
                    lambda connection, number=number: devices.add_device(
                        connection, f"{name}-{number}", 1
                    )
                )
            except Exception as exc:  # noqa: BLE001  # whatever it is, the test says so
                errors.put(repr(exc))


def test_processes_that_write_at_once_never_find_it_locked(database, url):
    context = multiprocessing.get_context("spawn")
    errors = context.SimpleQueue()
    processes = [
        context.Process(target=_write_many, args=(url, f"p{at}", errors)) for at in range(3)
    ]
    for one in processes:
        one.start()
    for number in range(40):
        database.write(
            lambda connection, number=number: devices.add_device(connection, f"own-{number}", 1)
        )
    for one in processes:
        one.join(60)
    assert errors.empty()
    assert count(database) == 160


def test_nobody_else_reads_the_file(database, tmp_path):
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600


def test_what_cannot_be_written_is_told_to_who_waits(database):
    def write(connection):
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(Unavailable, match="no such table"):
        database.write(write)
    database.write(lambda connection: devices.add_device(connection, "a", 1))
    assert count(database) == 1


@pytest.mark.parametrize("url", ["nonsense", "mongodb://x/y", "sqlite+nothing:///x"])
def test_databases_of_other_kinds(url):
    with pytest.raises(SetupError):
        open_database(url)


@pytest.mark.parametrize(
    "url", ["postgresql://x@/y?host=/nowhere", "postgresql+psycopg://x@/y?host=/nowhere"]
)
def test_a_database_that_does_not_answer(url):
    with open_database(url) as database, pytest.raises(Unavailable, match="does not answer"):
        bring_up_to_date(database)


def test_insert_is_seen_only_when_it_is_committed(database):
    def write(connection):
        connection.execute(insert(schema.devices).values(id="a", created=1))
        raise RuntimeError("not after all")

    with pytest.raises(RuntimeError):
        database.write(write)
    assert count(database) == 0


def test_a_full_disk_is_told_and_passes(tmp_path):
    with open_database(f"sqlite:///{tmp_path}/b.db", pool=1) as database:
        bring_up_to_date(database)

        def limit(connection, more):
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")

        database.write(lambda connection: limit(connection, 0))
        with pytest.raises(Unavailable, match="full"):
            database.write(lambda connection: devices.add_device(connection, "x" * 100_000, 1))
        assert count(database) == 0
        database.write(lambda connection: limit(connection, 1000))
        database.write(lambda connection: devices.add_device(connection, "x" * 100_000, 1))
        assert count(database) == 1
