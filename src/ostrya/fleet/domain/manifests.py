# SPDX-License-Identifier: Apache-2.0
"""What a vehicle says that it runs: checked, kept, and held against what it shall run.

A manifest that says nothing new costs a look at two signatures and a row that is written together
with those of other devices. Its counters are kept before it is answered, so that the same report is
never taken twice, not even after a crash.

Source: Uptane Standard 2.1.0, section 5.3.2.1, step 1.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from typing import TYPE_CHECKING

from ostrya.errors import UptaneError
from ostrya.fleet.db import devices, log, updates
from ostrya.fleet.domain import assignments, rollouts
from ostrya.fleet.domain.assignments import Progress
from ostrya.fleet.domain.words import plain
from ostrya.fleet.errors import BadRequest, NotFound, TooLarge
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.errors import ManifestRejected, MetadataTooLarge
from ostrya.uptane.manifest import Manifest, check_manifest
from ostrya.uptane.metadata.canonical_json import ascii_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from ostrya.fleet.domain.registry import Vehicle
    from ostrya.uptane.manifest import EcuReport
    from ostrya.uptane.metadata.json_text import Json, Object

logger = logging.getLogger(__name__)

ATTACK_EVENT = "AttackDetected"
REFUSED_EVENT = "ManifestRejected"
# By what the check of a manifest says; the first that fits counts.
_CODES = (
    ("not of the vehicle", "ecus_do_not_match"),
    ("has no report of", "ecus_do_not_match"),
    ("is of the vehicle", "wrong_vehicle"),
    ("is not signed by", "signature_not_valid"),
    ("was sent before", "report_counter_reused"),
    (", not of ", "ecu_not_primary"),
)
_NEEDS_REBOOT = "NEED_COMPLETION"


class Accepted(NamedTuple):
    """A manifest that was checked.

    Attributes:
        manifest: What it says.
        ecus: The ECUs, as it leaves them.
        contact: What is to be kept of it at least.
        is_new: Whether it says more than that.
    """

    manifest: Manifest
    ecus: Mapping[str, devices.Ecu]
    contact: devices.Contact
    is_new: bool


def check(vehicle: Vehicle, data: bytes, now: int) -> Accepted:
    """Check a manifest, and remember its counters.

    Raises:
        NotFound: The device has registered no ECUs.
        BadRequest: It is not of this device, not signed, not complete, or was sent before.
        TooLarge: There is more than is read.
    """
    if not vehicle.primary or vehicle.primary not in vehicle.ecus:
        raise NotFound(
            f"{vehicle.id} has registered no Primary",
            code="device_missing_primary_ecu",
            hint="POST /director/ecus comes first",
        )
    try:
        manifest = check_manifest(data, vehicle.registered())
        digests = {serial: _digest(one) for serial, one in manifest.reports.items()}
        _check_secondaries(vehicle, manifest, digests)
    except MetadataTooLarge as exc:
        raise TooLarge(exc.message) from exc
    except ManifestRejected as exc:
        raise BadRequest(exc.message, code=_code(exc.message)) from exc
    except UptaneError as exc:
        raise BadRequest(exc.message, code="invalid_manifest") from exc
    ecus = {
        serial: _after(vehicle.ecus[serial], one, digests[serial], now)
        for serial, one in manifest.reports.items()
    }
    is_new = (
        manifest.installation_report is not None
        or manifest.custom is not None
        or _attacks(manifest) != vehicle.attacks
        or vehicle.has_work
        or any(_runs(one) != _runs(vehicle.ecus[serial]) for serial, one in ecus.items())
    )
    # From here on nobody else gets through with these counters, also while they are written.
    for serial, one in ecus.items():
        vehicle.ecus[serial] = vehicle.ecus[serial]._replace(
            last_counter=one.last_counter, report_digest=one.report_digest
        )
    reports = tuple((one.serial, one.last_counter, one.report_digest) for one in ecus.values())
    return Accepted(manifest, ecus, devices.Contact(vehicle.id, now, reports), is_new)


def _code(message: str) -> str:
    return next((code for words, code in _CODES if words in message), "manifest_rejected")


def _check_secondaries(vehicle: Vehicle, manifest: Manifest, digests: Mapping[str, str]) -> None:
    for serial, report in manifest.reports.items():
        known = vehicle.ecus[serial]
        if serial == vehicle.primary or known.last_counter is None:
            continue
        if digests[serial] == known.report_digest:
            # The last report of an ECU that cannot be reached speaks for it again.
            continue
        if report.counter is None or report.counter <= known.last_counter:
            raise ManifestRejected(
                f"the report of {serial} has the counter {report.counter}, and"
                f" {known.last_counter} was sent before"
            )


def _digest(report: EcuReport) -> str:
    value: Object = {
        "image": report.image,
        "length": report.length,
        "hashes": dict(report.hashes),
        "attacks": report.attacks,
        "counter": report.counter,
        "more": dict(report.extra),
    }
    return hashlib.sha256(ascii_bytes(value)).hexdigest()[:32]


def _after(ecu: devices.Ecu, report: EcuReport, digest: str, now: int) -> devices.Ecu:
    counter = ecu.last_counter if report.counter is None else report.counter
    return ecu._replace(
        image=plain(report.image),
        image_length=report.length,
        image_sha256=report.hashes.get("sha256", "").lower(),
        last_counter=counter,
        report_digest=digest,
        reported=now,
    )


def _runs(ecu: devices.Ecu) -> tuple[str, int, str, bool]:
    return (ecu.image, ecu.image_length, ecu.image_sha256, ecu.reported is None)


def _attacks(manifest: Manifest) -> str:
    told = {serial: one.attacks for serial, one in manifest.reports.items() if one.attacks}
    return plain("; ".join(f"{serial}: {words}" for serial, words in sorted(told.items())), 2000)


# ------------------------------------------------------------------------- what follows


def record(connection: Connection, vehicle_id: str, accepted: Accepted, now: int) -> bool:
    """Keep what a manifest says, and move assignments on; say whether one was closed."""
    manifest = accepted.manifest
    devices.note_contacts(connection, [accepted.contact])
    for ecu in accepted.ecus.values():
        devices.set_reported(connection, ecu)
    _keep_attacks(connection, vehicle_id, manifest, now)
    if manifest.custom is not None:
        body = ascii_bytes(manifest.custom).decode()
        log.put_device_data(connection, vehicle_id, "custom", body, now)
    before = updates.open_assignments(connection, vehicle_id)
    if manifest.installation_report is not None:
        report = read_report(manifest.installation_report)
        log.add_report(connection, _report_row(vehicle_id, report, now))
        _apply_report(connection, before, report, now)
    for one in updates.open_assignments(connection, vehicle_id):
        found = accepted.ecus.get(one.ecu)
        if found is None:
            continue
        if (found.image, found.image_sha256) == (one.target, one.sha256.lower()):
            assignments.move_on(connection, one, Progress(updates.DONE, one.code or "OK"), now)
    after = {one.id for one in updates.open_assignments(connection, vehicle_id)}
    closed = [one for one in before if one.id not in after]
    rollouts.settle_closed(connection, closed, now)
    devices.note_change(connection, vehicle_id)
    return bool(closed)


def _keep_attacks(connection: Connection, vehicle_id: str, manifest: Manifest, now: int) -> None:
    device = devices.find_device(connection, vehicle_id)
    attacks = _attacks(manifest)
    if device is None or attacks == device.attacks:
        return
    devices.set_attacks(connection, vehicle_id, attacks)
    if attacks:
        logger.warning("an attack was detected device=%s what=%s", vehicle_id, attacks)
        own = own_event(vehicle_id, ATTACK_EVENT, {"attacks": attacks}, now)
        log.add_events(connection, [own])


def own_event(device_id: str, kind: str, facts: Mapping[str, Json], now: int) -> log.Event:
    """Return an event that the server itself noticed."""
    name = str(uuid.uuid4())
    body = json.dumps({"id": name, "eventType": {"id": kind, "version": 0}, "event": dict(facts)})
    return log.Event(0, name, device_id, now, "", kind, "", "", None, body)


class Result(NamedTuple):
    """What an attempt came to.

    Attributes:
        success: None where that is not said.
        code: For programs.
        description: For people.
    """

    success: bool | None = None
    code: str = ""
    description: str = ""


class InstallationReport(NamedTuple):
    """What a device says that an installation came to.

    Attributes:
        correlation_id: Of the update.
        result: Of the whole.
        ecus: Of each ECU.
        body: As it came.
    """

    correlation_id: str
    result: Result
    ecus: Mapping[str, Result]
    body: str


def read_report(value: Object) -> InstallationReport:
    """Read an installation report, as far as it can be understood."""
    report = value.get("report")
    found = report if isinstance(report, dict) else {}
    items = found.get("items")
    ecus: dict[str, Result] = {}
    for item in items if isinstance(items, list) else ():
        serial = item.get("ecu") if isinstance(item, dict) else None
        if isinstance(item, dict) and isinstance(serial, str):
            ecus[serial] = _read_result(item.get("result"))
    body = ascii_bytes(value).decode()
    return InstallationReport(
        _text(found.get("correlation_id")), _read_result(found.get("result")), ecus, body
    )


def _read_result(value: Json) -> Result:
    if not isinstance(value, dict):
        return Result()
    success = value.get("success")
    return Result(
        success if isinstance(success, bool) else None,
        _text(value.get("code")),
        _text(value.get("description")),
    )


def _text(value: Json) -> str:
    return plain(value, 2000)


def _report_row(device_id: str, report: InstallationReport, now: int) -> log.Report:
    result = report.result
    return log.Report(
        0, device_id, now, report.correlation_id, result.success, result.code, result.description,
        report.body,
    )  # fmt: skip


def _apply_report(
    connection: Connection,
    all_open: Sequence[updates.Assignment],
    report: InstallationReport,
    now: int,
) -> None:
    for one in all_open:
        if not assignments.is_of(one, report.correlation_id, all_open):
            continue
        result = report.ecus.get(one.ecu)
        if result is None:
            if report.result.success is not False:
                continue
            # The whole failed before it came to this ECU.
            result = report.result
        assignments.move_on(connection, one, _progress(result), now)


def _progress(result: Result) -> Progress:
    if result.code == _NEEDS_REBOOT:
        return Progress(updates.APPLIED, result.code, "waits for the next start of the device")
    if result.success is False:
        return Progress(updates.FAILED, result.code or "FAILED", result.description or "it failed")
    words = "reported as installed; the ECU itself does not show it yet"
    return Progress(updates.INSTALLING, result.code, words)
