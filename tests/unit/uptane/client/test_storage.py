# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
import sqlite3
import stat

import pytest

from ostrya.uptane.client import storage as module
from ostrya.uptane.client.storage import open_storage, open_to_read
from ostrya.uptane.errors import StorageError
from support.aktualizr_database import AktualizrDatabase


def test_for_nobody_else(storage):
    assert stat.S_IMODE(os.stat(storage.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(storage.path)).st_mode) == 0o700


def test_it_waits_for_the_disk(storage):
    assert storage.rows("PRAGMA synchronous") == [(3,)]
    assert storage.rows("PRAGMA journal_mode") == [("delete",)]


def test_facts(storage):
    assert storage.fact("a") is None
    storage.set_fact("a", b"1")
    storage.set_fact("a", b"2")
    with open_storage(storage.path) as again:
        assert again.fact("a") == b"2"


def test_all_or_nothing(storage):

    def change():
        with storage.transaction() as connection:
            connection.execute("INSERT INTO facts VALUES ('a', x'00')")
            raise KeyError

    with pytest.raises(KeyError):
        change()
    assert storage.fact("a") is None
    # And it can be changed again.
    storage.set_fact("a", b"1")


def test_aktualizrs_counters_go_on_with_ours(tmp_path):
    path = tmp_path / "sql.db"
    found = AktualizrDatabase(path)
    for serial, counter in (("a", 2), ("b", 9), ("c", 5)):
        found.put("ecu_report_counter", ecu_serial=serial, counter=counter)
    with open_storage(str(path)) as storage:
        for serial in ("a", "b", "b", "a", "a", "new"):
            storage.next_counter(serial)
    rows = found.connection.execute("SELECT * FROM ecu_report_counter ORDER BY 1").fetchall()
    # None goes back; and an ECU that it does not know is none of its.
    assert rows == [("a", 3), ("b", 9), ("c", 5)]


def test_a_table_of_that_name_with_other_columns_is_left_alone(tmp_path):
    path = tmp_path / "sql.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE ecu_report_counter(serial TEXT, n INTEGER)")
    connection.close()
    with open_storage(str(path)) as storage:
        assert storage.next_counter("a") == 1


def test_counters(storage):
    assert [storage.next_counter("a") for _ in range(3)] == [1, 2, 3]
    assert storage.next_counter("b") == 1
    with open_storage(storage.path) as again:
        assert again.next_counter("a") == 4


def test_a_newer_program_was_here(storage):
    with storage.transaction() as connection:
        connection.execute("UPDATE schema SET version = 9")
        connection.execute("ALTER TABLE facts ADD COLUMN more TEXT")
    # It only added something: this one goes on, as it has to after a rollback.
    open_storage(storage.path).close()
    with storage.transaction() as connection:
        connection.execute("UPDATE schema SET usable_from = 9")
    with pytest.raises(StorageError, match="by a newer program") as error:
        open_storage(storage.path)
    assert "newer release" in error.value.hint


@pytest.mark.parametrize("data", [b"not a database, but long enough to be one" * 50, b"\0" * 4096])
def test_damaged(tmp_path, data):
    path = tmp_path / "sql.db"
    path.write_bytes(data)
    with pytest.raises(StorageError, match="is damaged"):
        open_storage(str(path))


def test_pages_that_were_lost(storage):
    for number in range(200):
        storage.set_fact(f"fact {number}", b"x" * 500)
    storage.close()
    with open(storage.path, "r+b") as stream:
        stream.seek(8192)
        stream.write(b"\xff" * 20000)
    with pytest.raises(StorageError, match="is damaged"):
        open_storage(storage.path)


def test_held_by_another(storage, monkeypatch):
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.01)
    with (
        open_storage(storage.path) as other,
        storage.transaction(),
        pytest.raises(StorageError, match="held by another program"),
    ):
        other.set_fact("a", b"1")


def test_no_room(storage):
    pages = storage.rows("PRAGMA page_count")[0][0]
    storage._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match="there is no room"):
        storage.set_fact("a", b"x" * 100_000)
    assert storage.fact("a") is None


def test_other_mistakes_are_told_too(storage):
    with pytest.raises(StorageError, match="no such table"):
        storage.rows("SELECT * FROM missing")
    with pytest.raises(sqlite3.IntegrityError), storage.transaction() as connection:
        connection.execute("INSERT INTO facts VALUES (NULL, NULL)")


def test_whoever_only_looks_changes_nothing(tmp_path):
    path = str(tmp_path / "sota/sql.db")
    assert open_to_read(path) is None
    assert open_to_read(f"{path}/below") is None
    with open_storage(path) as client, open_to_read(path) as seen:
        client.set_fact("name", b"value")
        assert seen.fact("name") == b"value"
        with pytest.raises(StorageError):
            seen.set_fact("name", b"other")
        assert client.fact("name") == b"value"
    assert sorted(os.listdir(tmp_path / "sota")) == ["sql.db"]


def test_what_is_no_database_of_ours_is_not_read(tmp_path):
    (tmp_path / "empty.db").touch()
    assert open_to_read(str(tmp_path / "empty.db")) is None
    (tmp_path / "text.db").write_text("no database at all" * 99)
    with pytest.raises(StorageError, match="is damaged"):
        open_to_read(str(tmp_path / "text.db"))


def test_whoever_may_not_read_is_told_what_to_do(tmp_path, monkeypatch):
    def refuse(*_args, **_more):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("ostrya.uptane.client.storage.os.open", refuse)
    with pytest.raises(StorageError, match="cannot be read: Permission denied") as caught:
        open_to_read(str(tmp_path / "sql.db"))
    assert "as root" in caught.value.hint


@pytest.mark.parametrize(
    ("code", "is_full"), [(errno.EACCES, False), (errno.ENOSPC, True), (errno.EDQUOT, True)]
)
def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch, code, is_full):
    def refuse(*_path, **_options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "makedirs", refuse)
    with pytest.raises(StorageError, match=r"cannot be kept in .*/sql\.db") as caught:
        open_storage(str(tmp_path / "sql.db"))
    assert caught.value.is_full == is_full
    assert "[storage]" in caught.value.hint
