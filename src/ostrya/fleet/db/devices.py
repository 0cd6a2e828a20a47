# SPDX-License-Identifier: Apache-2.0
"""Queries about devices, their certificates, their ECUs, and groups of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, insert, select, update

from ostrya.fleet.db import schema
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection


class Device(NamedTuple):
    """A device.

    Attributes:
        id: What it is called, in its certificate too.
        created: When it was registered.
        last_seen: When it asked for something last; None for never.
        primary_serial: Of its Primary; empty before ECUs are registered.
        attacks: What its ECUs noticed last, in words.
        claim: Digest of what it showed when it registered itself; empty for nothing.
    """

    id: str
    created: int
    last_seen: int | None
    primary_serial: str
    attacks: str
    claim: str


class Certificate(NamedTuple):
    """A certificate that the fleet's authority gave.

    Attributes:
        serial: Its number, hexadecimal.
        name: For whom.
        purpose: As what.
        created: When.
        expires: Until when it is good.
        revoked: When it was withdrawn; None if it is good.
        reason: Why.
    """

    serial: str
    name: str
    purpose: str
    created: int
    expires: int
    revoked: int | None = None
    reason: str = ""


class Ecu(NamedTuple):
    """An ECU.

    Attributes:
        serial: Its own.
        device_id: Of the device that it is in.
        hardware_id: What kind it is.
        keytype: Of its key.
        public_key: Its key.
        last_counter: Of the last report that was taken.
        report_digest: Of that report.
        image: What it runs; empty if it never said.
        image_length: How many bytes that has.
        image_sha256: Its digest.
        reported: When it said so.
        removed: When it was taken out; None if it is in.
    """

    serial: str
    device_id: str
    hardware_id: str
    keytype: str
    public_key: str
    last_counter: int | None = None
    report_digest: str = ""
    image: str = ""
    image_length: int = 0
    image_sha256: str = ""
    reported: int | None = None
    removed: int | None = None


class Contact(NamedTuple):
    """A device that said nothing new.

    Attributes:
        device_id: Which.
        seen: When.
        reports: Of its ECUs: serial, counter, digest of the report.
    """

    device_id: str
    seen: int
    reports: tuple[tuple[str, int | None, str], ...] = ()


def note_change(connection: Connection, *device_ids: str) -> None:
    """Let all who remember something of these devices look again."""
    if device_ids:
        rows = [{"device_id": one} for one in dict.fromkeys(device_ids)]
        connection.execute(insert(schema.changes), rows)


def newest_change(connection: Connection) -> int:
    """Return the number of the last change; 0 for none."""
    found = connection.execute(select(func.max(schema.changes.c.id))).scalar()
    return int(found or 0)


def changes_after(connection: Connection, number: int) -> tuple[int, tuple[str, ...]]:
    """Return the number of the last change, and the devices that changed after another one."""
    rows = connection.execute(
        select(schema.changes.c.id, schema.changes.c.device_id)
        .where(schema.changes.c.id > number)
        .order_by(schema.changes.c.id)
    ).all()
    if not rows:
        return number, ()
    return int(rows[-1][0]), tuple(dict.fromkeys(str(one[1]) for one in rows))


def forget_changes(connection: Connection, before: int) -> None:
    """Forget changes that everybody has heard of."""
    connection.execute(delete(schema.changes).where(schema.changes.c.id < before))


# ------------------------------------------------------------------------------ devices


def add_device(connection: Connection, device_id: str, now: int, claim: str = "") -> None:
    """Register a device."""
    connection.execute(insert(schema.devices).values(id=device_id, created=now, claim=claim))


def find_device(connection: Connection, device_id: str) -> Device | None:
    """Return a device; None if there is none."""
    table = schema.devices
    row = connection.execute(select(*table.c).where(table.c.id == device_id)).first()
    return Device._make(row) if row else None


def list_devices(
    connection: Connection, *, after: str = "", limit: int = 100, group: str = "", search: str = ""
) -> tuple[Device, ...]:
    """Return devices in the order of their ids, from after one on."""
    table = schema.devices
    query = select(*table.c).where(table.c.id > after).order_by(table.c.id).limit(limit)
    if group:
        members = schema.group_devices
        query = query.join(members, members.c.device_id == table.c.id).where(
            members.c.group_name == group
        )
    if search:
        query = query.where(table.c.id.contains(search, autoescape=True))
    return tuple(Device._make(row) for row in connection.execute(query))


def all_device_ids(connection: Connection) -> tuple[str, ...]:
    """Return the ids of all devices."""
    table = schema.devices
    return tuple(str(row[0]) for row in connection.execute(select(table.c.id).order_by(table.c.id)))


def delete_device(connection: Connection, device_id: str) -> None:
    """Forget a device and all that belongs to it, but not its certificates."""
    connection.execute(delete(schema.devices).where(schema.devices.c.id == device_id))


def count_devices(connection: Connection, seen_since: int = 0) -> int:
    """Return how many devices there are, or asked for something since a moment."""
    table = schema.devices
    query = select(func.count()).select_from(table)
    if seen_since:
        query = query.where(table.c.last_seen >= seen_since)
    return int(connection.execute(query).scalar_one())


def set_primary(connection: Connection, device_id: str, serial: str) -> None:
    """Say which ECU speaks for a device."""
    table = schema.devices
    connection.execute(update(table).where(table.c.id == device_id).values(primary_serial=serial))


def set_attacks(connection: Connection, device_id: str, attacks: str) -> None:
    """Keep what the ECUs of a device noticed."""
    table = schema.devices
    connection.execute(update(table).where(table.c.id == device_id).values(attacks=attacks))


def note_contacts(connection: Connection, contacts: Sequence[Contact]) -> None:
    """Keep when devices were seen, and which of their reports were the last."""
    seen = {one.device_id: one.seen for one in contacts}
    table = schema.devices
    connection.execute(
        update(table).where(table.c.id == bindparam("which")).values(last_seen=bindparam("seen")),
        [{"which": device_id, "seen": moment} for device_id, moment in seen.items()],
    )
    last = {
        serial: {
            "which": serial, "owner": one.device_id, "counter": counter, "digest": digest,
            "seen": one.seen,
        }
        for one in contacts
        for serial, counter, digest in one.reports
    }  # fmt: skip
    if last:
        ecus = schema.ecus
        connection.execute(
            update(ecus)
            .where(ecus.c.serial == bindparam("which"), ecus.c.device_id == bindparam("owner"))
            .values(
                last_counter=bindparam("counter"),
                report_digest=bindparam("digest"),
                reported=bindparam("seen"),
            ),
            list(last.values()),
        )


# --------------------------------------------------------------------------------- ECUs


def list_ecus(connection: Connection, device_id: str) -> tuple[Ecu, ...]:
    """Return the ECUs that are in a device."""
    table = schema.ecus
    query = (
        select(*table.c)
        .where(table.c.device_id == device_id, table.c.removed.is_(None))
        .order_by(table.c.serial)
    )
    return tuple(Ecu._make(row) for row in connection.execute(query))


def ecus_of_all(connection: Connection, device_ids: Sequence[str]) -> tuple[Ecu, ...]:
    """Return the ECUs that are in some devices."""
    table = schema.ecus
    query = (
        select(*table.c)
        .where(table.c.device_id.in_(device_ids), table.c.removed.is_(None))
        .order_by(table.c.device_id, table.c.serial)
    )
    return tuple(Ecu._make(row) for row in connection.execute(query))


def find_ecus(connection: Connection, serials: Iterable[str]) -> dict[str, Ecu]:
    """Return ECUs by their serials, also those that were taken out of a device."""
    table = schema.ecus
    query = select(*table.c).where(table.c.serial.in_(list(serials)))
    return {row.serial: Ecu._make(row) for row in connection.execute(query)}


def put_ecu(connection: Connection, ecu: Ecu) -> None:
    """Register an ECU, in place of one of the same serial."""
    table = schema.ecus
    connection.execute(delete(table).where(table.c.serial == ecu.serial))
    connection.execute(insert(table).values(**ecu._asdict()))


def remove_ecu(connection: Connection, serial: str, now: int) -> None:
    """Note that an ECU was taken out of its device."""
    table = schema.ecus
    connection.execute(update(table).where(table.c.serial == serial).values(removed=now))


def set_reported(connection: Connection, ecu: Ecu) -> None:
    """Keep what an ECU says that it runs."""
    table = schema.ecus
    connection.execute(
        update(table)
        .where(table.c.serial == ecu.serial)
        .values(
            image=ecu.image,
            image_length=ecu.image_length,
            image_sha256=ecu.image_sha256,
            last_counter=ecu.last_counter,
            report_digest=ecu.report_digest,
            reported=ecu.reported,
        )
    )


# ------------------------------------------------------------------------- certificates


def add_certificate(connection: Connection, certificate: Certificate) -> None:
    """Register a certificate."""
    connection.execute(insert(schema.certificates).values(**certificate._asdict()))


def find_certificate(connection: Connection, serial: str) -> Certificate | None:
    """Return a certificate; None if it is not registered."""
    table = schema.certificates
    row = connection.execute(select(*table.c).where(table.c.serial == serial)).first()
    return Certificate._make(row) if row else None


def list_certificates(connection: Connection, name: str) -> tuple[Certificate, ...]:
    """Return all certificates of somebody, the newest last."""
    table = schema.certificates
    query = select(*table.c).where(table.c.name == name).order_by(table.c.created, table.c.serial)
    return tuple(Certificate._make(row) for row in connection.execute(query))


def good_certificates(connection: Connection, names: Sequence[str]) -> set[str]:
    """Return those of some devices that have a certificate which is good."""
    table = schema.certificates
    query = select(table.c.name).where(
        table.c.name.in_(names), table.c.purpose == "device", table.c.revoked.is_(None)
    )
    return {str(row[0]) for row in connection.execute(query)}


def certificates_of(connection: Connection, purpose: str) -> tuple[Certificate, ...]:
    """Return all certificates for a purpose, the newest last."""
    table = schema.certificates
    query = select(*table.c).where(table.c.purpose == purpose).order_by(table.c.created)
    return tuple(Certificate._make(row) for row in connection.execute(query))


def revoke_certificates(
    connection: Connection, name: str, reason: str, now: int, *, purpose: str = "device"
) -> int:
    """Withdraw all certificates of a device or a tool that are good; return how many."""
    table = schema.certificates
    done = connection.execute(
        update(table)
        .where(table.c.name == name, table.c.purpose == purpose, table.c.revoked.is_(None))
        .values(revoked=now, reason=reason)
    )
    return done.rowcount
