# SPDX-License-Identifier: Apache-2.0
"""The ECUs of a device, as it registers them.

::

    {"primary_ecu_serial": SERIAL, "ecus": [
      {"ecu_serial": SERIAL, "hardware_identifier": KIND,
       "clientKey": {"keytype": "ED25519", "keyval": {"public": …}}}]}

Source: aktualizr's Provisioner; the Director's errors as it knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import UptaneError
from ostrya.fleet.db import devices, updates
from ostrya.fleet.errors import BadRequest, Conflict, NotFound, NotNow
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.custom import MAX_SERIAL
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.keys import Key, identity, read_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from ostrya.fleet.settings import Devices
    from ostrya.uptane.metadata.json_text import Json

MAX_HARDWARE_ID = 200


class Wanted(NamedTuple):
    """What a device registers.

    Attributes:
        primary: Serial of its Primary.
        ecus: Kind of hardware and key, by serials; the Primary is among them.
    """

    primary: str
    ecus: Mapping[str, tuple[str, Key]]


def read(data: bytes, max_bytes: int, max_ecus: int) -> Wanted:
    """Read what a device registers.

    Raises:
        BadRequest: It is not what it has to be.
    """
    what = "the registration"
    try:
        fields = Fields(parse_json(data, max_bytes, what), what)
        primary = _name(fields.text("primary_ecu_serial"), "primary_ecu_serial", MAX_SERIAL)
        ecus: dict[str, tuple[str, Key]] = {}
        for value in fields.array("ecus", max_ecus):
            serial, kind, key = _read_ecu(value)
            if serial in ecus:
                raise BadRequest(f"{what} has the ECU {serial} twice")
            ecus[serial] = (kind, key)
    except UptaneError as exc:
        raise BadRequest(exc.message, code="invalid_registration") from exc
    if primary not in ecus:
        raise BadRequest(
            f"the Primary {primary} is not among the ECUs",
            code="primary_is_not_listed_for_device",
        )
    return Wanted(primary, ecus)


def _read_ecu(value: Json) -> tuple[str, str, Key]:
    fields = Fields(value, "an ECU of the registration")
    serial = _name(fields.text("ecu_serial"), "ecu_serial", MAX_SERIAL)
    kind = _name(fields.text("hardware_identifier"), "hardware_identifier", MAX_HARDWARE_ID)
    key = read_key(fields.take("clientKey"), f"the key of {serial}")
    if identity(key) is None:
        raise BadRequest(f"the key of {serial} cannot be used", code="invalid_key")
    return serial, kind, Key(key.keytype.upper(), "", key.public)


def _name(text: str, what: str, most: int) -> str:
    if not 0 < len(text) <= most or not text.isascii() or not text.isprintable():
        raise BadRequest(
            f"{what} is {text[:80]!r}: it has to be up to {most} printable characters of ASCII",
            code="invalid_registration",
        )
    return text


def register(
    connection: Connection, device_id: str, wanted: Wanted, settings: Devices, now: int
) -> bool:
    """Let a device have these ECUs and no others; say whether something changed.

    Raises:
        NotFound: There is no such device.
        Conflict: An ECU is of another device, or was taken out of this one, or ECUs may not be
            replaced here.
        NotNow: An ECU that would be taken out has an assignment.
    """
    if devices.find_device(connection, device_id) is None:
        raise NotFound(f"there is no device {device_id}", code="missing_device")
    before = {one.serial: one for one in devices.list_ecus(connection, device_id)}
    known = devices.find_ecus(connection, wanted.ecus)
    _check_free(device_id, known)
    changed = [
        serial
        for serial, (kind, key) in wanted.ecus.items()
        if serial not in before or not _is_same(before[serial], kind, key)
    ]
    gone = [serial for serial in before if serial not in wanted.ecus]
    device = devices.find_device(connection, device_id)
    same_primary = device is not None and device.primary_serial == wanted.primary
    if before and not changed and not gone and same_primary:
        return False
    if before and not settings.allow_ecu_replacement:
        raise Conflict(
            f"the ECUs of {device_id} may not be replaced",
            code="ecu_replacement_disabled",
            hint="allow_ecu_replacement in [devices] of fleet.toml allows it",
        )
    replaced = {*gone, *(serial for serial in changed if serial in before)}
    for one in updates.open_assignments(connection, device_id):
        if one.ecu in replaced:
            raise NotNow(
                f"{one.ecu} has {one.target} assigned, and cannot be replaced now",
                code="replace_ecu_assignment_exists",
            )
    for serial in gone:
        devices.remove_ecu(connection, serial, now)
    for serial in changed:
        kind, key = wanted.ecus[serial]
        new = devices.Ecu(serial, device_id, kind, key.keytype, key.public)
        known_ecu = before.get(serial)
        if known_ecu is not None and _has_key(known_ecu, key):
            # Of another kind now, but it signs as before: its old reports stay old.
            new = known_ecu._replace(hardware_id=kind)
        devices.put_ecu(connection, new)
    devices.set_primary(connection, device_id, wanted.primary)
    devices.note_change(connection, device_id)
    return True


def _check_free(device_id: str, known: Mapping[str, devices.Ecu]) -> None:
    for serial, one in known.items():
        if one.device_id != device_id:
            raise Conflict(
                f"the ECU {serial} is registered for another device",
                code="ecu_already_registered",
                hint="serials are unique in a fleet; remove the other device if it is gone",
            )
        if one.removed is not None:
            raise Conflict(
                f"the ECU {serial} was taken out of the device, and cannot come back",
                code="ecu_reuse_not_allowed",
            )


def _is_same(ecu: devices.Ecu, kind: str, key: Key) -> bool:
    return ecu.hardware_id == kind and _has_key(ecu, key)


def _has_key(ecu: devices.Ecu, key: Key) -> bool:
    return identity(Key(ecu.keytype, "", ecu.public_key)) == identity(key)
