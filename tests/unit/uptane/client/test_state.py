# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta

import pytest

from ostrya.repo.errors import LowSpace
from ostrya.uptane import errors
from ostrya.uptane.client import state
from ostrya.uptane.client.errors import NoRoom
from ostrya.uptane.client.state import Area, Condition

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


def full() -> errors.StorageError:
    error = errors.StorageError("no room")
    error.is_full = True
    return error


def caused() -> errors.UptaneError:
    error = errors.StorageError("cannot be written")
    error.__cause__ = OSError(errno.ENOSPC, "full")
    return error


@pytest.mark.parametrize(
    ("error", "condition"),
    [
        (errors.NotProvisioned("no"), Condition.NOT_PROVISIONED),
        (errors.RegisteredTwice("twice"), Condition.REGISTERED_TWICE),
        (errors.ServerTooSlow("u", "slow"), Condition.SERVER_UNREACHABLE),
        (errors.ServerRefused("u", 503), Condition.SERVER_REFUSED),
        (errors.CertificateRefused("u", 403), Condition.CERTIFICATE_REFUSED),
        (NoRoom("an image", 7, 3), Condition.DISK_FULL),
        (LowSpace("min-free-space-size would be exceeded"), Condition.DISK_FULL),
        (errors.ClockWrong("u", "1970"), Condition.CLOCK_WRONG),
        (errors.ServerUntrusted("u", "stranger"), Condition.SERVER_UNTRUSTED),
        (errors.AnswerTooLarge("u", 3), Condition.METADATA_REFUSED),
        (errors.MetadataExpired("it", "a", "b"), Condition.METADATA_EXPIRED),
        (errors.RollbackDetected("older"), Condition.METADATA_REFUSED),
        (errors.ConfigError("wrong"), Condition.CONFIGURATION),
        (errors.StorageError("damaged"), Condition.FAILED),
        (full(), Condition.DISK_FULL),
        (caused(), Condition.DISK_FULL),
        (OSError(errno.ENOSPC, "full"), Condition.DISK_FULL),
        (OSError(errno.EIO, "broken"), Condition.FAILED),
    ],
)
def test_what_an_error_means(error, condition):
    assert state.condition_of(error) is condition


def test_troubles_are_kept_and_counted(storage):
    error = errors.ServerUnreachable("https://gate", "no route", hint="plug it in")
    assert state.load_troubles(storage) == {}
    state.note_trouble(storage, Area.UPDATES, error, NOW)
    state.note_trouble(storage, Area.UPDATES, error, NOW + timedelta(hours=1))
    found = state.load_troubles(storage)[Area.UPDATES]
    assert found == state.Trouble(
        Condition.SERVER_UNREACHABLE, "https://gate: no route", "plug it in",
        NOW, NOW + timedelta(hours=1), 2,
    )  # fmt: skip
    # Another trouble begins anew.
    state.note_trouble(storage, Area.UPDATES, OSError(errno.EIO, "broken"), NOW)
    assert state.load_troubles(storage)[Area.UPDATES].times == 1
    state.note_trouble(storage, Area.EVENTS, error, NOW)
    state.clear_trouble(storage, Area.UPDATES)
    state.clear_trouble(storage, Area.UPDATES)
    assert set(state.load_troubles(storage)) == {Area.EVENTS}


def test_words_of_a_newer_program_are_passed_over(storage):
    storage.set_fact("trouble:updates", b'{"condition": "haunted"}')
    storage.set_fact("trouble:events", b"no JSON")
    assert state.load_troubles(storage) == {}


def test_a_database_that_cannot_be_changed_is_no_reason_to_end(storage, monkeypatch):
    def fail(*_):
        raise full()

    monkeypatch.setattr(type(storage), "set_fact", fail)
    assert state.note_trouble(storage, Area.UPDATES, full(), NOW) is Condition.DISK_FULL


def test_moments(storage):
    assert state.last_contact(storage) == state.last_success(storage) == ""
    state.note_contact(storage, NOW)
    state.note_success(storage, NOW)
    assert state.last_contact(storage) == state.last_success(storage) == "2026-12-01T08:00:00Z"
