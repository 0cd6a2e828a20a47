# SPDX-License-Identifier: Apache-2.0
"""A device becomes one of its fleet's: name, key, certificate, registered ECUs, first roots.

::

    import    what the device was given
    settle    name of the ECU, its key                      kept, all at once
    obtain    the device's certificate                      kept, all at once
    consume   the shared one is taken out of the zip
    register  POST director/ecus                            what was taken is kept
    trust     the first roots, where none were given        kept

Each step looks whether it is done, so `provision` is called before anything is asked of the server,
and costs nothing once the device is there. Killed anywhere, the next call goes on.

Where another device has the name, or the ECU, asking again does not help: the answer is kept, and
the server is asked again only after a pause, which grows, or when something has changed.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from ostrya.errors import UptaneError
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client import tls_files
from ostrya.uptane.client.addresses import addresses
from ostrya.uptane.client.adoption import is_registered_already
from ostrya.uptane.client.config import ProvisionMode
from ostrya.uptane.client.credentials import (
    CLAIM,
    Credentials,
    consume_shared,
    obtain_credentials,
    require_shared,
    tls_folder,
)
from ostrya.uptane.client.device_data.telling import told_fact
from ostrya.uptane.client.identity import (
    DEVICE_ID,
    HARDWARE_ID,
    SERIAL,
    EcuDescription,
    Identity,
    is_on_token,
    primary_description,
    settle_identity,
)
from ostrya.uptane.client.importing import (
    has_root,
    import_files,
    import_installed,
    keep_first_root,
)
from ostrya.uptane.client.link import Link
from ostrya.uptane.client.primary_key import KEY_FACT
from ostrya.uptane.client.server import DeviceDataKind
from ostrya.uptane.client.state import Area, clear_trouble, note_trouble
from ostrya.uptane.errors import (
    NotProvisioned,
    RegisteredTwice,
    ServerRefused,
    StorageError,
)
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from ostrya.uptane.metadata.fields import format_time, parse_time
from ostrya.uptane.metadata.file_names import root_file
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.keys import Key, read_key
from ostrya.uptane.steps import Repository, Wanted
from ostrya.uptane.trusted_set import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.metadata.json_text import Json, Object

REGISTERED, MISCONFIGURED, CONFLICT = "registered-ecus", "misconfigured-ecus", "conflict"
"""Facts of the database."""
_MAX_FACT = 1 << 20
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(hours=1), timedelta(days=1)
_TWICE = frozenset({"ecu_already_registered", "device_already_registered"})
_HINTS = {
    "ecu_replacement_disabled": "allow it at the server, or put the old ECU back",
    "ecu_reuse_not_allowed": "an ECU that was taken out has to come back under another serial",
    "replace_ecu_assignment_exists": "it is tried again once the update of that ECU has ended",
    "missing_device": "the server removed it: `ostrya ota provision --new-identity` begins anew",
}


class Provisioned(NamedTuple):
    """A device that its server knows.

    Attributes:
        identity: Who it is.
        link: How the server is spoken to; for the taker to close.
        warnings: What went wrong without keeping it from that.
    """

    identity: Identity
    link: Link
    warnings: tuple[str, ...] = ()


def provision(
    config: ClientConfig,
    storage: Storage,
    secondaries: Sequence[EcuDescription],
    now: datetime,
    *,
    again: bool = False,
) -> Provisioned:
    """Make the device one of its fleet's, as far as it is not; return how to speak to the server.

    Args:
        config: What it is told.
        storage: What it knows; a trouble is noted there, or cleared.
        secondaries: Its other ECUs.
        now: The time.
        again: Ask the server also where it was asked before, and said that there is another one.

    Raises:
        NotProvisioned: It has no certificate, or another device has its name.
        ServerError: The server did not do its part; later it may.
        UptaneError: What the device was told or given cannot be used.
        OSError: A file cannot be written.
    """
    try:
        found = _provision(config, storage, secondaries, now, again=again)
    except (UptaneError, OSError) as exc:
        note_trouble(storage, Area.PROVISIONING, exc, now)
        raise
    clear_trouble(storage, Area.PROVISIONING)
    return found


def _provision(
    config: ClientConfig,
    storage: Storage,
    secondaries: Sequence[EcuDescription],
    now: datetime,
    *,
    again: bool,
) -> Provisioned:
    import_files(config, storage)
    identity = settle_identity(config, storage)
    import_installed(config, storage, identity.serial)
    body = _registration(identity, secondaries)
    if not again:
        _refuse_known_conflict(config, storage, body, now)
    try:
        credentials = obtain_credentials(config, storage)
        warning = consume_shared(config, storage)
        link = _link(config, credentials)
        try:
            _register(storage, link, identity, body)
            _trust_first_roots(config, storage, link)
        except BaseException:
            link.close()
            raise
    except RegisteredTwice as exc:
        _keep_conflict(config, storage, body, exc, now)
        raise
    if storage.fact(CONFLICT) is not None:
        storage.forget_fact(CONFLICT)
    known = identity._replace(device_id=credentials.device_id)
    return Provisioned(known, link, (warning,) if warning else ())


def known_link(config: ClientConfig, storage: Storage) -> Link:
    """Return how to speak to the server that knows the device; for the taker to close.

    Raises:
        NotProvisioned: None does yet.
        UptaneError: What the device was told or given cannot be used.
    """
    if storage.fact(REGISTERED) is None:
        raise NotProvisioned(
            "the device is not provisioned yet", hint="`ostrya ota provision` does that"
        )
    return _link(config, obtain_credentials(config, storage))


def _link(config: ClientConfig, credentials: Credentials) -> Link:
    return Link(config, credentials.tls, addresses(config, credentials.gateway))


# ------------------------------------------------------------------------------- ECUs


def _registration(identity: Identity, secondaries: Sequence[EcuDescription]) -> bytes:
    ecus = [primary_description(identity), *secondaries]
    listed: list[Json] = [
        {
            "ecu_serial": one.serial,
            "hardware_identifier": one.hardware_id,
            "clientKey": one.key.to_json(),
        }
        for one in ecus
    ]
    return ascii_bytes({"primary_ecu_serial": identity.serial, "ecus": listed})


def _register(storage: Storage, link: Link, identity: Identity, body: bytes) -> None:
    """Tell the Director of the ECUs, unless it knows exactly these."""
    known = storage.fact(REGISTERED)
    if known is None and is_registered_already(storage, serials_of(body)):
        # Some servers refuse to be told twice.
        storage.set_fact(REGISTERED, body)
        return
    if known == body:
        return
    try:
        link.register_ecus(body)
    except ServerRefused as exc:
        if exc.code in _TWICE:
            raise RegisteredTwice(
                f"the server has an ECU {identity.serial} of another device: {exc.message}",
                hint="remove that one at the server; or, if this device is a copy of another one,"
                " `ostrya ota provision --new-identity`",
            ) from exc
        exc.hint = _HINTS.get(exc.code, exc.hint)
        raise
    gone = serials_of(known) - serials_of(body)
    before = misconfigured_ecus(storage)
    left: Object = dict.fromkeys((before | gone) - serials_of(body), "old")
    storage.set_facts({REGISTERED: body, MISCONFIGURED: ascii_bytes(left)})


def serials_of(registration: bytes | None) -> set[str]:
    """Return the ECUs of what was registered."""
    value = _object(registration)
    ecus = value.get("ecus")
    found = ecus if isinstance(ecus, list) else []
    return {str(one["ecu_serial"]) for one in found if isinstance(one, dict)}


def misconfigured_ecus(storage: Storage) -> set[str]:
    """Return ECUs that the device had once, and has no more."""
    return set(_object(storage.fact(MISCONFIGURED)))


def registered_ecus(storage: Storage) -> dict[str, str]:
    """Return kinds of hardware of the ECUs that the server knows, by serials; the Primary first."""
    ecus = _object(storage.fact(REGISTERED)).get("ecus")
    found = ecus if isinstance(ecus, list) else []
    return {
        str(one["ecu_serial"]): str(one["hardware_identifier"])
        for one in found
        if isinstance(one, dict)
    }


def registered_keys(storage: Storage) -> dict[str, Key]:
    """Return keys of the ECUs that the server knows, by serials; the Primary's first."""
    ecus = _object(storage.fact(REGISTERED)).get("ecus")
    found = ecus if isinstance(ecus, list) else []
    return {
        str(one["ecu_serial"]): read_key(one["clientKey"], "what was registered")
        for one in found
        if isinstance(one, dict)
    }


def _object(data: bytes | None) -> Object:
    if data is None:
        return {}
    value = parse_json(data, _MAX_FACT, "what was registered")
    return value if isinstance(value, dict) else {}


# ------------------------------------------------------------------------------ roots


def _trust_first_roots(config: ClientConfig, storage: Storage, link: Link) -> None:
    """Take the first roots from the server, where the device was given none."""
    for repository in Repository:
        if has_root(storage, repository):
            continue
        if not config.provision.trust_on_first_use:
            raise NotProvisioned(
                f"the device was given no root of the {repository.shown}",
                hint=f"put one into {config.import_.base_path}",
            )
        file = root_file(1)
        data = link.fetch_metadata(Wanted(repository, file, DEFAULT_LIMITS.root_bytes))
        if data is None:
            raise NotProvisioned(
                f"the {repository.shown} has no {file} to begin with",
                hint="the server may still be making its keys; it is asked again later",
            )
        keep_first_root(storage, repository, data, file)


# -------------------------------------------------------------------------- conflicts


def _fingerprint(config: ClientConfig, body: bytes) -> str:
    told = json.dumps([config.provision.device_id, config.tls.server, body.decode()])
    return hashlib.sha256(told.encode()).hexdigest()


def _refuse_known_conflict(
    config: ClientConfig, storage: Storage, body: bytes, now: datetime
) -> None:
    """Say at once what the server said before, until it is time to ask again.

    Raises:
        RegisteredTwice: It said that there is another one.
    """
    known = _object(storage.fact(CONFLICT))
    if known.get("fingerprint") != _fingerprint(config, body):
        return
    at = parse_time(str(known["at"]), "the time of a conflict")
    if at <= now < at + _pause(int(str(known["times"]))):
        raise RegisteredTwice(str(known["message"]), hint=str(known["hint"]))


def _pause(times: int) -> timedelta:
    return min(_FIRST_PAUSE * (1 << min(times - 1, 10)), _LONGEST_PAUSE)


def _keep_conflict(
    config: ClientConfig, storage: Storage, body: bytes, error: RegisteredTwice, now: datetime
) -> None:
    known = _object(storage.fact(CONFLICT))
    fingerprint = _fingerprint(config, body)
    before = int(str(known["times"])) if known.get("fingerprint") == fingerprint else 0
    value: Object = {
        "fingerprint": fingerprint,
        "message": error.message,
        "hint": error.hint,
        "at": format_time(now),
        "times": before + 1,
    }
    storage.set_fact(CONFLICT, ascii_bytes(value))


def forget_identity(config: ClientConfig, storage: Storage) -> None:
    """Be another device from now on: the remedy where two are one for the server.

    What runs and what was installed stays known; what the Director said to the old device does not.

    Raises:
        NotProvisioned: The device could not become one of the fleet's again.
        StorageError: The database cannot be changed.
    """
    shared = config.provision_mode is not ProvisionMode.DEVICE
    if shared:
        require_shared(config)
    facts = [DEVICE_ID, SERIAL, HARDWARE_ID, REGISTERED, MISCONFIGURED, CONFLICT, CLAIM]
    if not is_on_token(config):
        facts.append(KEY_FACT)
    if shared:
        facts += [tls_files.CA, tls_files.CERT, tls_files.KEY]
    # The server is told anew, as it does not know this one.
    facts += [told_fact(kind) for kind in DeviceDataKind]
    with storage.transaction() as connection:
        busy = connection.execute(
            "SELECT count(*) FROM installs WHERE state IN ('started', 'applied')"
        ).fetchone()
        if busy[0]:
            raise StorageError(
                "an update is being installed", hint="wait until it has ended, then try again"
            )
        connection.executemany("DELETE FROM facts WHERE name = ?", [(one,) for one in facts])
        connection.execute(
            "DELETE FROM metadata WHERE repository = ? AND role <> 'root'",
            (Repository.DIRECTOR.value,),
        )
        connection.execute("DELETE FROM results")
    if shared:
        tls_files.remove_tls_files(tls_folder(config))
