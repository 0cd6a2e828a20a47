# SPDX-License-Identifier: Apache-2.0
"""What the vehicle tells its Director: what every ECU runs, how installations ended, what attacked.

An installation report is about one update, so results of several are told one after the other. They
are forgotten once the Director has them, and so are attacks.

Source: aktualizr's SotaUptaneClient::AssembleManifest.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.uptane.client import installs, trust_store
from ostrya.uptane.client.installer import UNKNOWN, Running
from ostrya.uptane.full_verification import Installed
from ostrya.uptane.manifest import EcuReport, Times, sign_manifest, sign_report
from ostrya.uptane.metadata.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ostrya.uptane.client.installs import Result
    from ostrya.uptane.client.secondaries.secondary import Secondary
    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.client.vehicle import Parts
    from ostrya.uptane.metadata.json_text import Json, Object

log = logging.getLogger(__name__)

REPORT_TYPE = "application/vnd.com.here.otac.installationReport.v1"
_ATTACKS = "attacks"
_REPORT = "report:"
_MAX_REPORT_BYTES = 64 * 1024
_MAX_ATTACKS = 1000


# ----------------------------------------------------------------------------- what runs


def running_image(parts: Parts) -> Running:
    """Return what the Primary runs."""
    known = installs.install_log(parts.storage, parts.identity.serial)
    found = parts.installer.running(known)
    return found or Running(UNKNOWN, 0, {"sha256": hashlib.sha256(b"").hexdigest()})


def installed_on_all(parts: Parts) -> dict[str, Installed]:
    """Return what every ECU runs, as far as it is known."""
    found = installs.installed_images(parts.storage)
    running = running_image(parts)
    if running.name == UNKNOWN:
        found.pop(parts.identity.serial, None)
    else:
        found[parts.identity.serial] = Installed(
            running.name, running.hashes, running.release_counter
        )
    return found


# ------------------------------------------------------------------------------- attacks


def note_attack(storage: Storage, serial: str, attack: str) -> None:
    """Remember an attack until the Director knows of it."""
    found = load_attacks(storage)
    told = found.get(serial, "").split("; ") if found.get(serial) else []
    if attack and attack not in told:
        found[serial] = "; ".join([*told, attack])[:_MAX_ATTACKS]
        storage.set_fact(_ATTACKS, json.dumps(found, sort_keys=True).encode())


def load_attacks(storage: Storage) -> dict[str, str]:
    """Return attacks that the Director has not been told of, by the ECU that noticed them."""
    value = storage.fact(_ATTACKS)
    with suppress(ValueError):
        found = {} if value is None else json.loads(value)
        if isinstance(found, dict):
            return {str(serial): str(attack) for serial, attack in found.items()}
    return {}


# ------------------------------------------------------------------------------ manifest


def has_news(storage: Storage) -> bool:
    """Say whether there is something that the Director has not been told yet."""
    return bool(installs.results(storage) or load_attacks(storage))


def send_manifests(parts: Parts) -> None:
    """Tell the Director all that it has to be told; once at least.

    Raises:
        ServerError: It cannot be told; nothing is forgotten.
    """
    while True:
        attacks = load_attacks(parts.storage)
        numbers, report = _next_report(parts)
        parts.server.put_manifest(make_manifest(parts, attacks, report))
        if numbers:
            installs.forget_results(parts.storage, numbers)
        if attacks:
            parts.storage.forget_fact(_ATTACKS)
        if not installs.results(parts.storage):
            return


def make_manifest(parts: Parts, attacks: Mapping[str, str], report: Object | None) -> bytes:
    """Return what the vehicle says now, signed."""
    identity = parts.identity
    reports = {identity.serial: _own_report(parts, attacks.get(identity.serial, ""))}
    for one in parts.secondaries:
        found = secondary_report(parts.storage, one)
        if found is not None:
            reports[one.serial] = found
    more: dict[str, Json] = {}
    if identity.vehicle_id:
        more["vehicle_id"] = identity.vehicle_id
    if report is not None:
        more["installation_report"] = report
    return sign_manifest(reports, identity.serial, more, identity.key_id, identity.secret)


def _own_report(parts: Parts, attacks: str) -> Object:
    identity, around = parts.identity, parts.around
    running = running_image(parts)
    floor = trust_store.load_time_floor(parts.storage, around.built_at)
    counter = parts.storage.next_counter(identity.serial)
    report = EcuReport(
        identity.serial, running.name, running.length, running.hashes, attacks, counter
    )
    times = Times(floor.now(around.clock()), floor.moment)
    return sign_report(report, times, identity.key_id, identity.secret)


def secondary_report(storage: Storage, ecu: Secondary) -> Object | None:
    """Return what an ECU says of itself; if it does not answer, what it said last."""
    name = _REPORT + ecu.serial
    try:
        found = ecu.report()
    except OstryaError as exc:
        log.warning("an ECU does not report serial=%s reason=%s", ecu.serial, exc.message)
        kept = storage.fact(name)
        return None if kept is None else _object(kept)
    data = json.dumps(found, sort_keys=True).encode()
    kept = storage.fact(name)
    is_news = kept is None or _image_of(_object(kept) or {}) != _image_of(found)
    if len(data) <= _MAX_REPORT_BYTES and is_news:
        storage.set_fact(name, data)
    return found


def _image_of(report: Object) -> Json:
    """Return what a report says that runs; times and signatures differ every time."""
    signed = report.get("signed")
    return signed.get("installed_image") if isinstance(signed, dict) else None


def _object(data: bytes) -> Object | None:
    found = parse_json(data, _MAX_REPORT_BYTES, "a report that was kept")
    return found if isinstance(found, dict) else None


# ---------------------------------------------------------------- report of an installation


def _next_report(parts: Parts) -> tuple[tuple[int, ...], Object | None]:
    """Return the numbers of the results of the oldest update, and what is said of them."""
    found = installs.results(parts.storage)
    if not found:
        return (), None
    _, _, update = next(iter(found.values()))
    ours = {number: one for number, one in found.items() if one[2] == update}
    items = [(serial, result) for serial, result, _ in ours.values()]
    return tuple(ours), installation_report(update, items, parts.ecus)


def installation_report(
    correlation_id: str, items: Sequence[tuple[str, Result]], ecus: Mapping[str, str]
) -> Object:
    """Return what is said of an update: of each ECU, and of the device."""
    listed: list[Json] = [
        {"ecu": serial, "result": _result(result.success, result.code, result.description)}
        for serial, result in items
    ]
    success = all(result.success for _, result in items)
    code = "|".join(f"{ecus.get(serial, UNKNOWN)}:{result.code}" for serial, result in items)
    words = "; ".join(
        f"{serial}: {result.description}" for serial, result in items if result.description
    )
    return {
        "content_type": REPORT_TYPE,
        "report": {
            "correlation_id": correlation_id,
            "items": listed,
            "result": _result(success, code, words),
            "raw_report": words or ("installed" if success else "not installed"),
        },
    }


def _result(success: bool, code: str, description: str) -> Object:  # noqa: FBT001  # as on the wire
    return {"success": success, "code": code, "description": description}
