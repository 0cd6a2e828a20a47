# SPDX-License-Identifier: Apache-2.0
"""A device that ran aktualizr until now: what it left in ``sql.db`` is taken over, once.

Both keep their tables in the same file, and neither touches the other's, but for the counters of
reports, which go on in both. So a device goes on under its name, with its keys, and knows what it
runs; and where the system that brought this client is rolled back, aktualizr finds all that it had.

::

    device_info, ecus, secondary_ecus    name, serials, kinds of hardware, keys
    primary_keys, tls_creds              the key that signs reports, certificates
    meta, delegations                    roots and other metadata: nothing older is believed
    installed_versions                   what runs, ran, and waits for a restart
    ecu_report_counter, report_events    so that no report repeats, and no event is lost

Only what is sound is taken: without a key, a certificate or a root that can be used, the device
gets new ones as any other. Schemas from 20 to 26 have these tables.

Source: aktualizr's config/sql/schema.sql.
"""

from __future__ import annotations

import json
import logging
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya.errors import UptaneError
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client import installs, tls_files
from ostrya.uptane.client.identity import DEVICE_ID, HARDWARE_ID, SERIAL
from ostrya.uptane.client.installs import State, Target
from ostrya.uptane.client.key_file import write_key
from ostrya.uptane.client.p12 import check_pair, load_certificate
from ostrya.uptane.client.primary_key import KEY_FACT, key_to_keep, read_key_file
from ostrya.uptane.client.restart import APPLIED_IN_BOOT, BOOT_ID
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.steps import Repository
from ostrya.uptane.trusted_set import DEFAULT_LIMITS, open_trusted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from ostrya.uptane.client.config import BootloaderSection, ClientConfig
    from ostrya.uptane.client.storage import Storage

log = logging.getLogger(__name__)

ADOPTED = "adopted"
"""A fact of the database: it was looked at; and the ECUs that the server knows by aktualizr."""
_TABLES = frozenset({"device_info", "ecus", "primary_keys", "tls_creds", "meta"})
_ROLES = {0: "root", 1: "snapshot", 2: "targets", 3: "timestamp"}
_REPOSITORIES = {0: Repository.IMAGE, 1: Repository.DIRECTOR}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"(sha256|sha512):([0-9a-fA-F]{64,128})")


class _Found(NamedTuple):
    """What is there to be taken over.

    Attributes:
        facts: Of our database.
        registered: ECUs that the server knows.
        files: Metadata by repository and role.
        roots: Roots by repository and version.
        images: What ECUs run, ran or wait for, the oldest first.
        counters: Of reports, by ECU.
        events: That were not handed in.
    """

    facts: dict[str, bytes]
    registered: list[str]
    files: dict[Repository, dict[str, bytes]]
    roots: list[tuple[Repository, int, bytes]]
    images: list[tuple[Target, State]]
    counters: list[tuple[str, int]]
    events: list[tuple[str, str]]


def adopt_former_client(config: ClientConfig, storage: Storage) -> bool:
    """Take over what aktualizr knew; say whether there was something.

    Raises:
        StorageError: The database cannot be changed.
    """
    if storage.fact(ADOPTED) is not None or storage.fact(SERIAL) is not None:
        return False
    names = _tables_of(storage)
    if not names >= _TABLES:
        return False
    found = _find(config.bootloader, storage, names)
    with storage.transaction() as connection:
        _keep(connection, found)
    log.info("aktualizr's database is gone on with path=%s", storage.path)
    return SERIAL in found.facts


def adopt_former_ecu(bootloader: BootloaderSection, storage: Storage, key_path: str) -> None:
    """Take over what aktualizr-secondary knew: key, name, trust, and what runs.

    Args:
        bootloader: Where it is noted that it has to restart.
        storage: Its database.
        key_path: Where its key is; nothing is taken over where one is already.

    Raises:
        StorageError: The database cannot be changed.
        OSError: The key cannot be written.
    """
    names = _tables_of(storage)
    if storage.fact(ADOPTED) is not None or os.path.exists(key_path) or not names >= _TABLES:
        return
    found = _find(bootloader, storage, names)
    key = found.facts.get(KEY_FACT)
    if key is None:
        return
    # First: without its key nothing of the rest would be believed.
    write_key(key_path, key)
    with storage.transaction() as connection:
        _keep(connection, found)
    log.info("aktualizr-secondary's database is gone on with path=%s", storage.path)


def is_registered_already(storage: Storage, serials: set[str]) -> bool:
    """Say whether the server knows exactly these ECUs, since aktualizr told it."""
    known = storage.fact(ADOPTED)
    return known is not None and bool(serials) and set(json.loads(known)) == serials


def _keep(connection: sqlite3.Connection, found: _Found) -> None:
    put = connection.executemany
    facts = {**found.facts, ADOPTED: json.dumps(sorted(found.registered)).encode()}
    put("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())
    put(
        "INSERT OR IGNORE INTO metadata VALUES (?, ?, ?)",
        [(one.value, *item) for one, files in found.files.items() for item in files.items()],
    )
    put(
        "INSERT OR IGNORE INTO roots VALUES (?, ?, ?)",
        [(one.value, version, data) for one, version, data in found.roots],
    )
    for target, state in found.images:
        installs.put_install(connection, target, state)
    put("INSERT OR IGNORE INTO counters VALUES (?, ?)", found.counters)
    put("INSERT OR IGNORE INTO events (uuid, body) VALUES (?, ?)", found.events)


def _tables_of(storage: Storage) -> set[str]:
    return {str(row[0]) for row in storage.rows("SELECT name FROM sqlite_master")}


def _find(bootloader: BootloaderSection, storage: Storage, names: set[str]) -> _Found:
    facts = dict(_identity(storage))
    with suppress(UptaneError):
        facts |= _tls(storage)
    serial = facts.get(SERIAL, b"").decode()
    images = list(_images(storage, serial)) if "installed_versions" in names else []
    is_pending = any(state is State.APPLIED for _, state in images)
    if is_pending and os.path.exists(_sentinel(bootloader)):
        # There was no restart yet: the new client was started in place of the old one.
        with open(BOOT_ID, "rb") as file:
            facts[APPLIED_IN_BOOT] = file.read(64).strip()
    files, roots = _metadata(storage, names)
    return _Found(
        facts,
        _registered(storage),
        files,
        roots,
        images,
        list(_counters(storage)) if "ecu_report_counter" in names else [],
        list(_events(storage)) if "report_events" in names else [],
    )


def _sentinel(section: BootloaderSection) -> str:
    return os.path.join(section.reboot_sentinel_dir, section.reboot_sentinel_name)


# --------------------------------------------------------------------------- identity


def _identity(storage: Storage) -> Iterator[tuple[str, bytes]]:
    for fact, query in (
        (DEVICE_ID, "SELECT device_id FROM device_info"),
        (SERIAL, "SELECT serial FROM ecus WHERE is_primary = 1"),
        (HARDWARE_ID, "SELECT hardware_id FROM ecus WHERE is_primary = 1"),
    ):
        for (value,) in storage.rows(query)[:1]:
            if isinstance(value, str) and value:
                yield fact, value.encode()
    for (value,) in storage.rows("SELECT private FROM primary_keys")[:1]:
        with suppress(UptaneError):
            if isinstance(value, str) and value:
                secret = read_key_file(value.encode(), f"the key in {storage.path}")
                yield KEY_FACT, key_to_keep(secret)


def _registered(storage: Storage) -> list[str]:
    flags = [row[0] for row in storage.rows("SELECT is_registered FROM device_info")]
    if flags != [1]:
        return []
    return [str(row[0]) for row in storage.rows("SELECT serial FROM ecus")]


def _tls(storage: Storage) -> dict[str, bytes]:
    """Return certificates and the key; none of them where one is no good.

    Raises:
        IdentityError: One is not.
    """
    query = "SELECT ca_cert, client_cert, client_pkey FROM tls_creds"
    found: dict[str, bytes] = {}
    for row in storage.rows(query)[:1]:
        for fact, value in zip((tls_files.CA, tls_files.CERT, tls_files.KEY), row, strict=True):
            data = value.encode() if isinstance(value, str) else value
            if isinstance(data, bytes) and data:
                found[fact] = data
    if tls_files.CA in found:
        load_certificate(found[tls_files.CA], f"the authority in {storage.path}")
    if tls_files.CERT in found and tls_files.KEY in found:
        check_pair(found[tls_files.CERT], found[tls_files.KEY], f"what is in {storage.path}")
    return found


# --------------------------------------------------------------------------- metadata


def _metadata(
    storage: Storage, names: set[str]
) -> tuple[dict[Repository, dict[str, bytes]], list[tuple[Repository, int, bytes]]]:
    found: dict[Repository, dict[str, bytes]] = {one: {} for one in Repository}
    roots: list[tuple[Repository, int, bytes]] = []
    query = "SELECT repo, meta_type, version, meta FROM meta ORDER BY version"
    for repo, kind, version, value in storage.rows(query):
        repository, role = _REPOSITORIES.get(_number(repo)), _ROLES.get(_number(kind))
        data = value.encode() if isinstance(value, str) else value
        if repository is None or role is None or not isinstance(data, bytes):
            continue
        # The newest one comes last.
        found[repository][role] = data
        if role == "root":
            roots.append((repository, _number(version), data))
    if "delegations" in names:
        for name, value in storage.rows("SELECT role_name, meta FROM delegations"):
            data = value.encode() if isinstance(value, str) else value
            if isinstance(name, str) and isinstance(data, bytes) and name not in _ROLES.values():
                found[Repository.IMAGE][name] = data
    sound = {one: files for one, files in found.items() if _is_sound(one, files)}
    return sound, [one for one in roots if one[0] in sound]


def _is_sound(repository: Repository, files: dict[str, bytes]) -> bool:
    try:
        open_trusted(repository.shown, Dialect.UPTANE, files, DEFAULT_LIMITS)
    except UptaneError:
        return False
    return True


# ----------------------------------------------------------------------------- images


def _images(storage: Storage, primary: str) -> Iterator[tuple[Target, State]]:
    columns = {str(row[1]) for row in storage.rows("PRAGMA table_info(installed_versions)")}
    custom = "custom_meta" if "custom_meta" in columns else "''"
    query = (
        "SELECT ecu_serial, name, length, sha256, hashes, correlation_id, is_current, is_pending,"  # noqa: S608  # one of two words
        f" {custom} FROM installed_versions ORDER BY is_current + 2 * is_pending, id"
    )
    taken: set[tuple[str, State]] = set()
    for serial, name, length, sha256, hashes, correlation, current, pending, more in storage.rows(
        query
    ):
        state = State.CURRENT if current else State.APPLIED if pending else State.EARLIER
        owner = str(serial) or primary
        digests = _digests(str(sha256), str(hashes))
        if not owner or not digests or (state is not State.EARLIER and (owner, state) in taken):
            continue
        taken.add((owner, state))
        counter = _release_counter(str(more))
        yield (
            Target(owner, str(name), _number(length), digests, counter, str(correlation)),
            state,
        )


def _digests(sha256: str, listed: str) -> dict[str, str]:
    """Read ``sha256:ABC…;sha512:DEF…``."""
    found = {"sha256": sha256.lower()} if _SHA256.fullmatch(sha256.lower()) else {}
    for one in listed.split(";"):
        match = _DIGEST.fullmatch(one)
        if match is not None:
            found[match[1]] = match[2].lower()
    return found


def _release_counter(custom: str) -> int | None:
    with suppress(ValueError):
        found = json.loads(custom) if custom else None
        counter = found.get("releaseCounter") if isinstance(found, dict) else None
        return counter if isinstance(counter, int) and not isinstance(counter, bool) else None
    return None


# ---------------------------------------------------------------------------- reports


def _counters(storage: Storage) -> Iterator[tuple[str, int]]:
    for serial, counter in storage.rows("SELECT ecu_serial, counter FROM ecu_report_counter"):
        if isinstance(serial, str) and isinstance(counter, int):
            yield serial, counter


def _events(storage: Storage) -> Iterator[tuple[str, str]]:
    for (text,) in storage.rows("SELECT json_string FROM report_events ORDER BY id"):
        with suppress(ValueError):
            event = json.loads(str(text))
            if isinstance(event, dict) and isinstance(event.get("id"), str):
                yield event["id"], json.dumps(event, sort_keys=True)


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1
