# SPDX-License-Identifier: Apache-2.0
"""Devices: registered by themselves or by their owner, looked at, withdrawn and removed."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from ostrya.fleet.certificates import (
    Identity,
    Purpose,
    Wish,
    check_device_id,
    check_vouched,
    issue,
)
from ostrya.fleet.db import devices, groups, log, updates
from ostrya.fleet.db.devices import Certificate
from ostrya.fleet.errors import BadRequest, Conflict, Forbidden, NotFound
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ostrya.fleet.domain.fleet import Fleet

_MAX_DAYS = 36500


class Overview(NamedTuple):
    """A device in a list.

    Attributes:
        device: The device.
        ecus: What is in it.
        open: What is still to come.
        is_revoked: None of its certificates is good.
    """

    device: devices.Device
    ecus: tuple[devices.Ecu, ...]
    open: tuple[updates.Assignment, ...]
    is_revoked: bool

    @property
    def state(self) -> str:
        """In one word, how it is."""
        if self.is_revoked:
            return "revoked"
        if self.device.last_seen is None:
            return "never seen"
        if not self.ecus:
            return "no ECUs"
        return "updating" if self.open else "idle"


class Details(NamedTuple):
    """All that is known of a device.

    Attributes:
        overview: As in a list.
        certificates: That it was given.
        groups: That it is in.
        history: Its assignments, the newest first.
        reports: What it said of installations, the newest first.
        data: What it says of itself, by kind: when and what.
    """

    overview: Overview
    certificates: tuple[Certificate, ...]
    groups: tuple[str, ...]
    history: tuple[updates.Assignment, ...]
    reports: tuple[log.Report, ...]
    data: dict[str, tuple[int, str]]


def provision(fleet: Fleet, device_id: str, days: int, claim: str = "") -> Identity:
    """Register a device, and give it a certificate.

    Args:
        fleet: The server.
        device_id: What it is called.
        days: For how long the certificate is good.
        claim: A secret of the device's, by which it is known when it asks again; empty for none.

    Raises:
        BadRequest: It cannot be called so.
        Conflict: There is one of that name.
    """
    check_device_id(device_id)
    wish = Wish(
        device_id, Purpose.DEVICE, min(days, fleet.settings.devices.certificate_days, _MAX_DAYS)
    )
    # Made before anything is held up: it is the one slow part.
    identity = issue(fleet.authority, wish, fleet.now())
    now = fleet.timestamp()
    expires = int(identity.certificate.not_valid_after_utc.timestamp())
    certificate = Certificate(identity.serial, device_id, Purpose.DEVICE.value, now, expires)
    fleet.database.write(lambda connection: _add_or_repeat(connection, certificate, claim))
    return identity


def _add_or_repeat(connection: Connection, certificate: Certificate, claim: str) -> None:
    """Register a device; one that asks again, and shows that it is the same, anew."""
    known = devices.find_device(connection, certificate.name)
    digest = hashlib.sha256(claim.encode()).hexdigest() if claim else ""
    if known is None or not digest or not hmac.compare_digest(known.claim, digest):
        _add(connection, certificate, digest)
        return
    # The certificate before was lost on its way, or with what the device knew.
    now, name = certificate.created, certificate.name
    devices.revoke_certificates(connection, name, "the device asked for another one", now)
    devices.add_certificate(connection, certificate)
    devices.note_change(connection, name)


def provision_itself(fleet: Fleet, device_id: str, days: int, claim: str = "") -> bytes:
    """Register a device that came with the shared credentials; return its PKCS#12.

    Raises:
        Forbidden: The owner does not want that.
        BadRequest: It cannot be called so.
        Conflict: There is one of that name.
    """
    if not fleet.settings.devices.shared_provisioning:
        raise Forbidden(
            "devices may not register themselves here",
            code="shared_provisioning_disabled",
            hint="`ostrya fleet device add` makes certificates one by one",
        )
    identity = provision(fleet, device_id, days, claim)
    return identity.p12(device_id, [fleet.authority.certificate])


def add_with_certificate(fleet: Fleet, data: bytes) -> Certificate:
    """Register a device by a certificate that was made elsewhere, by the fleet's authority.

    Raises:
        BadRequest: It is not by that.
        Conflict: It is registered already.
    """
    peer = check_vouched(data, fleet.authority.certificate, fleet.now())
    check_device_id(peer.name)
    if peer.purpose not in {None, Purpose.DEVICE}:
        raise BadRequest(f"the certificate is that of a {peer.purpose.value}, not of a device")
    now = fleet.timestamp()
    certificate = Certificate(peer.serial, peer.name, Purpose.DEVICE.value, now, 0)

    def add(connection: Connection) -> None:
        if devices.find_certificate(connection, peer.serial) is not None:
            raise Conflict(f"the certificate {peer.serial} is registered already")
        if devices.find_device(connection, peer.name) is None:
            _add(connection, certificate)
        else:
            devices.add_certificate(connection, certificate)
            devices.note_change(connection, peer.name)

    fleet.database.write(add)
    return certificate


def _add(connection: Connection, certificate: Certificate, claim: str = "") -> None:
    name = certificate.name
    if devices.find_device(connection, name) is not None:
        raise Conflict(
            f"there is a device {name} already",
            code="device_already_registered",
            hint="remove it first, or take another name",
        )
    devices.add_device(connection, name, certificate.created, claim)
    devices.add_certificate(connection, certificate)
    devices.note_change(connection, name)


def renew(fleet: Fleet, device_id: str, days: int) -> Identity:
    """Give a device another certificate; those that it has stay good until they are withdrawn.

    Raises:
        NotFound: There is no such device.
    """
    wish = Wish(device_id, Purpose.DEVICE, min(days, fleet.settings.devices.certificate_days))
    identity = issue(fleet.authority, wish, fleet.now())
    now = fleet.timestamp()
    expires = int(identity.certificate.not_valid_after_utc.timestamp())
    certificate = Certificate(identity.serial, device_id, Purpose.DEVICE.value, now, expires)

    def add(connection: Connection) -> None:
        require(connection, device_id)
        devices.add_certificate(connection, certificate)
        devices.note_change(connection, device_id)

    fleet.database.write(add)
    return identity


def require(connection: Connection, device_id: str) -> devices.Device:
    """Return a device.

    Raises:
        NotFound: There is none of that name.
    """
    found = devices.find_device(connection, device_id)
    if found is None:
        raise NotFound(
            f"there is no device {device_id[:80]!r}",
            code="missing_device",
            hint="`ostrya fleet device list` lists them",
        )
    return found


def revoke(connection: Connection, device_id: str, reason: str, now: int) -> int:
    """Withdraw all certificates of a device; return how many were good.

    Raises:
        NotFound: There is no such device.
    """
    require(connection, device_id)
    count = devices.revoke_certificates(connection, device_id, reason, now)
    devices.note_change(connection, device_id)
    return count


def remove(connection: Connection, device_id: str, now: int) -> None:
    """Withdraw a device's certificates, and forget all else of it.

    Raises:
        NotFound: There is no such device.
    """
    require(connection, device_id)
    devices.revoke_certificates(connection, device_id, "the device was removed", now)
    devices.delete_device(connection, device_id)
    devices.note_change(connection, device_id)


def overview(connection: Connection, found: tuple[devices.Device, ...]) -> tuple[Overview, ...]:
    """Return how some devices are."""
    ids = [one.id for one in found]
    ecus: dict[str, list[devices.Ecu]] = {one: [] for one in ids}
    for ecu in devices.ecus_of_all(connection, ids):
        ecus[ecu.device_id].append(ecu)
    coming: dict[str, list[updates.Assignment]] = {one: [] for one in ids}
    for assignment in updates.open_assignments_of(connection, ids):
        coming[assignment.device_id].append(assignment)
    good = devices.good_certificates(connection, ids)
    return tuple(
        Overview(one, tuple(ecus[one.id]), tuple(coming[one.id]), one.id not in good)
        for one in found
    )


def details(connection: Connection, device_id: str) -> Details:
    """Return all that is known of a device.

    Raises:
        NotFound: There is none of that name.
    """
    device = require(connection, device_id)
    return Details(
        overview(connection, (device,))[0],
        devices.list_certificates(connection, device_id),
        groups.groups_of(connection, device_id),
        updates.list_assignments(connection, {"device_id": device_id}, limit=50),
        log.list_reports(connection, device_id),
        log.device_data(connection, device_id),
    )
