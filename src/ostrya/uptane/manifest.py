# SPDX-License-Identifier: Apache-2.0
"""What ECUs say of themselves, each signed by its own key, and all of it by the Primary.

::

    {"signatures": […], "signed": {
      "primary_ecu_serial": SERIAL, "vehicle_id": …,
      "ecu_version_manifests": {SERIAL: {"signatures": […], "signed": {
        "ecu_serial": SERIAL,
        "installed_image": {"filepath": NAME, "fileinfo": {"length", "hashes": {"sha256"}}},
        "attacks_detected": "", "timeserver_time", "previous_timeserver_time",
        "report_counter": "12"}}},
      "installation_report": {…}, "custom": {…}}}

Source: Uptane Standard 2.1.0, sections 5.4.2.1 and 5.3.2.1; aktualizr's Manifest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.errors import ManifestRejected, MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.fields import Fields, format_time
from ostrya.uptane.metadata.hashes import read_hashes
from ostrya.uptane.metadata.keys import Key, is_signed_by
from ostrya.uptane.metadata.signed import Envelope, parse_envelope, read_envelope, sign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ostrya.uptane.metadata.json_text import Json, Object
    from ostrya.uptane.metadata.secret_keys import SecretKey

MAX_MANIFEST_BYTES = 1024 * 1024
_COUNTER = re.compile(r"[0-9]{1,18}")


class EcuReport(NamedTuple):
    """What one ECU says.

    Attributes:
        serial: Which one.
        image: What it runs; ``unknown`` if it does not know.
        length: How many bytes that has.
        hashes: Its digests.
        attacks: Attacks that it noticed, in words; empty for none.
        counter: Grows with each report, so that none can be sent again; None where an ECU has none.
        extra: Fields that are not known, of a report that was read.
    """

    serial: str
    image: str
    length: int
    hashes: Mapping[str, str]
    attacks: str = ""
    counter: int | None = None
    extra: Mapping[str, Json] = {}


class Times(NamedTuple):
    """What an ECU knows of the time.

    Attributes:
        latest: The latest that it could verify.
        previous: The one before.
    """

    latest: datetime
    previous: datetime


class RegisteredEcu(NamedTuple):
    """What a Director knows of an ECU.

    Attributes:
        key: Its public key.
        last_counter: Of the last report that was taken; None for none.
    """

    key: Key
    last_counter: int | None = None


class Registered(NamedTuple):
    """What a Director knows of a vehicle.

    Attributes:
        primary: Serial of its Primary.
        ecus: All its ECUs, by their serials.
        vehicle_id: Empty if it has none.
    """

    primary: str
    ecus: Mapping[str, RegisteredEcu]
    vehicle_id: str = ""


class Manifest(NamedTuple):
    """What a vehicle says, checked.

    Attributes:
        reports: Of its ECUs, by their serials.
        installation_report: What came of the last update; None for nothing.
        custom: What else it says; None for nothing.
    """

    reports: Mapping[str, EcuReport]
    installation_report: Object | None
    custom: Object | None


def sign_report(report: EcuReport, times: Times, key_id: str, secret: SecretKey) -> Object:
    """Return the report of an ECU, signed by its key."""
    signed: Object = {
        "ecu_serial": report.serial,
        "installed_image": {
            "filepath": report.image,
            "fileinfo": {"length": report.length, "hashes": dict(report.hashes)},
        },
        "attacks_detected": report.attacks,
        "timeserver_time": format_time(times.latest),
        "previous_timeserver_time": format_time(times.previous),
    }
    if report.counter is not None:
        signed["report_counter"] = str(report.counter)
    return sign(signed, Dialect.UPTANE, [(key_id, secret)]).to_json()


def sign_manifest(
    reports: Mapping[str, Object],
    primary: str,
    more: Mapping[str, Json],
    key_id: str,
    secret: SecretKey,
) -> bytes:
    """Return what a vehicle says, signed by its Primary.

    Args:
        reports: Signed, by serials.
        primary: Serial of the Primary.
        more: ``vehicle_id``, ``installation_report`` and ``custom``, as far as there are any.
        key_id: Of the Primary's key.
        secret: The Primary's key.
    """
    listed: Object = dict(reports)
    signed: Object = {**more, "primary_ecu_serial": primary, "ecu_version_manifests": listed}
    return sign(signed, Dialect.UPTANE, [(key_id, secret)]).to_bytes()


def check_manifest(data: bytes, registered: Registered) -> Manifest:
    """Return what a vehicle says, if it is this vehicle that says it, and for the first time.

    Raises:
        MetadataTooLarge: There is more than may be read.
        MetadataInvalid: It is no manifest.
        ManifestRejected: A signature is wrong, an ECU is missing, not known, or said it before.
    """
    what = "the manifest"
    envelope = parse_envelope(data, Dialect.UPTANE, MAX_MANIFEST_BYTES, what)
    fields = Fields(envelope.signed, what)
    primary = fields.text("primary_ecu_serial")
    if primary != registered.primary:
        raise ManifestRejected(f"{what} is of {primary[:80]}, not of {registered.primary}")
    check_report_signed(envelope, registered.ecus[primary].key, what)
    told = fields.text("vehicle_id") if fields.has("vehicle_id") else registered.vehicle_id
    if registered.vehicle_id and told != registered.vehicle_id:
        raise ManifestRejected(f"{what} is of the vehicle {told[:80]}")
    listed = fields.mapping("ecu_version_manifests")
    check_complete(listed, registered, what)
    reports = {
        serial: _read_report(serial, value, registered.ecus[serial])
        for serial, value in listed.items()
    }
    report = fields.mapping("installation_report") if fields.has("installation_report") else None
    custom = fields.mapping("custom") if fields.has("custom") else None
    return Manifest(reports, report, custom)


def check_report_signed(envelope: Envelope, key: Key, what: str) -> None:
    """Refuse what the registered key did not sign, whatever its signature calls the key."""
    data = envelope.signed_bytes()
    if not any(is_signed_by(key, data, one.signature, one.method) for one in envelope.signatures):
        raise ManifestRejected(f"{what} is not signed by the key that is registered")


def check_complete(listed: Mapping[str, Json], registered: Registered, what: str) -> None:
    """Refuse a manifest that leaves out an ECU, or speaks of another vehicle's."""
    for serial in listed:
        if serial not in registered.ecus:
            raise ManifestRejected(f"{what} has the ECU {serial[:80]}, which is not of the vehicle")
    for serial in registered.ecus:
        if serial not in listed:
            raise ManifestRejected(f"{what} has no report of the ECU {serial}")


def check_counter(report: EcuReport, ecu: RegisteredEcu) -> None:
    """Refuse a report that was sent before."""
    if ecu.last_counter is None:
        return
    if report.counter is None or report.counter <= ecu.last_counter:
        raise ManifestRejected(
            f"the report of {report.serial} has the counter {report.counter}, and"
            f" {ecu.last_counter} was sent before"
        )


def _read_report(serial: str, value: Json, ecu: RegisteredEcu) -> EcuReport:
    what = f"the report of {serial[:80]}"
    envelope = read_envelope(value, Dialect.UPTANE, what)
    check_report_signed(envelope, ecu.key, what)
    fields = Fields(envelope.signed, what)
    told = fields.text("ecu_serial")
    if told != serial:
        raise ManifestRejected(f"{what} is of {told[:80]}")
    image = Fields(fields.mapping("installed_image"), f"the image of {what}")
    name = image.text("filepath")
    info = Fields(image.mapping("fileinfo"), f"the image of {what}")
    length = info.integer("length") if info.has("length") else 0
    hashes = read_hashes(info, "hashes")
    attacks = fields.text("attacks_detected") if fields.has("attacks_detected") else ""
    report = EcuReport(serial, name, length, hashes, attacks, _read_counter(fields), fields.rest())
    check_counter(report, ecu)
    return report


def _read_counter(fields: Fields) -> int | None:
    if not fields.has("report_counter"):
        return None
    value = fields.take("report_counter")
    if not isinstance(value, str | int) or not _COUNTER.fullmatch(str(value)):
        raise MetadataInvalid(f"'report_counter' of {fields.where} is no counter")
    return int(value)
