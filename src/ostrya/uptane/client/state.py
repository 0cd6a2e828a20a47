# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a device just now, kept for whoever asks: `ostrya ota info`, programs, events.

Each ``Area`` has at most one trouble. Whoever works in an area notes an error there, and clears it
once that work has succeeded::

    try:
        cycle()
    except (OstryaError, OSError) as exc:
        note_trouble(storage, Area.UPDATES, exc, now)
    else:
        clear_trouble(storage, Area.UPDATES)
"""

from __future__ import annotations

import errno
import json
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import LowSpace
from ostrya.uptane.client.errors import NoRoom
from ostrya.uptane.errors import (
    AnswerTooLarge,
    CertificateRefused,
    ClockWrong,
    ConfigError,
    MetadataExpired,
    NotProvisioned,
    RegisteredTwice,
    ServerRefused,
    ServerUnreachable,
    ServerUntrusted,
    StorageError,
    UptaneRefusal,
)
from ostrya.uptane.metadata.fields import format_time, parse_time

if TYPE_CHECKING:
    from datetime import datetime

    from ostrya.uptane.client.storage import Storage

_PREFIX = "trouble:"
_LAST_CONTACT, _LAST_SUCCESS = "last-contact", "last-success"


class Area(StrEnum):
    """Where something can be wrong."""

    PROVISIONING = "provisioning"
    UPDATES = "updates"
    EVENTS = "events"
    DEVICE_DATA = "device-data"


class Condition(StrEnum):
    """What is wrong, in a word that programs can compare."""

    NOT_PROVISIONED = "not-provisioned"
    CLOCK_WRONG = "clock-wrong"
    METADATA_EXPIRED = "metadata-expired"
    METADATA_REFUSED = "metadata-refused"
    SERVER_UNREACHABLE = "server-unreachable"
    SERVER_UNTRUSTED = "server-untrusted"
    SERVER_REFUSED = "server-refused"
    CERTIFICATE_REFUSED = "certificate-refused"
    REGISTERED_TWICE = "registered-twice"
    DISK_FULL = "disk-full"
    CONFIGURATION = "configuration"
    FAILED = "failed"


class Trouble(NamedTuple):
    """Something that is wrong.

    Attributes:
        condition: What.
        message: In a sentence.
        hint: What to do; empty where there is nothing to add.
        since: When it was seen first.
        last: When it was seen last.
        times: How often since.
    """

    condition: Condition
    message: str
    hint: str
    since: datetime
    last: datetime
    times: int = 1


# The narrower first.
_CONDITIONS: tuple[tuple[type[OstryaError], Condition], ...] = (
    (NoRoom, Condition.DISK_FULL),
    (LowSpace, Condition.DISK_FULL),
    (RegisteredTwice, Condition.REGISTERED_TWICE),
    (NotProvisioned, Condition.NOT_PROVISIONED),
    (CertificateRefused, Condition.CERTIFICATE_REFUSED),
    (ClockWrong, Condition.CLOCK_WRONG),
    (ServerUntrusted, Condition.SERVER_UNTRUSTED),
    (ServerRefused, Condition.SERVER_REFUSED),
    (AnswerTooLarge, Condition.METADATA_REFUSED),
    (ServerUnreachable, Condition.SERVER_UNREACHABLE),
    (MetadataExpired, Condition.METADATA_EXPIRED),
    (UptaneRefusal, Condition.METADATA_REFUSED),
    (ConfigError, Condition.CONFIGURATION),
)


def condition_of(error: BaseException) -> Condition:
    """Return what an error means for a device."""
    if isinstance(error, OSError):
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return Condition.DISK_FULL if is_full else Condition.FAILED
    if isinstance(error, StorageError) and error.is_full:
        return Condition.DISK_FULL
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Condition.DISK_FULL
    for kind, condition in _CONDITIONS:
        if isinstance(error, kind):
            return condition
    return Condition.FAILED


def note_trouble(storage: Storage, area: Area, error: BaseException, now: datetime) -> Condition:
    """Remember that something is wrong; return what.

    Does not raise where the database cannot be changed: that a disk is full is no reason to end.
    """
    message = error.message if isinstance(error, OstryaError) else str(error)
    hint = error.hint if isinstance(error, OstryaError) else ""
    trouble = Trouble(condition_of(error), message, hint, now, now)
    with suppress(StorageError):
        known = load_troubles(storage).get(area)
        if known is not None and known.condition is trouble.condition:
            trouble = trouble._replace(since=known.since, times=known.times + 1)
        storage.set_fact(_PREFIX + area.value, _to_bytes(trouble))
    return trouble.condition


def clear_trouble(storage: Storage, area: Area) -> None:
    """Forget what was wrong in an area; nothing is written where nothing was.

    Raises:
        StorageError: The database cannot be changed.
    """
    if storage.fact(_PREFIX + area.value) is not None:
        storage.forget_fact(_PREFIX + area.value)


def load_troubles(storage: Storage) -> dict[Area, Trouble]:
    """Return what is wrong, by area."""
    found: dict[Area, Trouble] = {}
    for area in Area:
        value = storage.fact(_PREFIX + area.value)
        # A newer program may have written words that are not known here.
        with suppress(ValueError, KeyError, TypeError, OstryaError):
            if value is not None:
                found[area] = _from_bytes(value)
    return found


def note_contact(storage: Storage, now: datetime) -> None:
    """Remember when the server answered last."""
    storage.set_fact(_LAST_CONTACT, format_time(now).encode())


def note_success(storage: Storage, now: datetime) -> None:
    """Remember when a whole cycle went well last."""
    storage.set_fact(_LAST_SUCCESS, format_time(now).encode())


def last_contact(storage: Storage) -> str:
    """Return when the server answered last, as text; empty for never."""
    return (storage.fact(_LAST_CONTACT) or b"").decode("ascii", "replace")


def last_success(storage: Storage) -> str:
    """Return when a whole cycle went well last, as text; empty for never."""
    return (storage.fact(_LAST_SUCCESS) or b"").decode("ascii", "replace")


def _to_bytes(trouble: Trouble) -> bytes:
    body = {
        **trouble._asdict(),
        "since": format_time(trouble.since),
        "last": format_time(trouble.last),
    }
    return json.dumps(body, sort_keys=True).encode()


def _from_bytes(value: bytes) -> Trouble:
    body = json.loads(value)
    return Trouble(
        Condition(body["condition"]),
        str(body["message"]),
        str(body["hint"]),
        parse_time(str(body["since"]), "since"),
        parse_time(str(body["last"]), "last"),
        int(body["times"]),
    )
