# SPDX-License-Identifier: Apache-2.0
"""What a running server remembers of devices, so that a poll costs next to nothing.

Whoever changes a device notes that in the database, in this process or in another one; before
something is taken from memory, those notes are looked at. For SQLite that is a question that it
answers without a look at the disk; a server of another kind is asked ten times a second at most.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from ostrya.fleet.certificates import Purpose
from ostrya.fleet.db import devices, updates
from ostrya.uptane.manifest import Registered, RegisteredEcu
from ostrya.uptane.metadata.file_names import meta_name
from ostrya.uptane.metadata.keys import Key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from ostrya.fleet.db.database import Database
    from ostrya.fleet.domain.director import Director
    from ostrya.fleet.domain.image_repository import ImageRepository

MAX_VEHICLES = 50_000
_ASK_EVERY_S = 0.1


class Vehicle:
    """A device, as far as it is remembered.

    Attributes:
        id: Of the device.
        primary: Serial of its Primary; empty before ECUs are registered.
        ecus: Its ECUs, as their last accepted reports left them.
        attacks: What they noticed last.
        has_work: Something is still to come for it.
        files: What the Director says to it, by the names of files.
        fresh_until: When that has to be signed anew, in seconds.
        root_version: Of the root that it was signed under.
        last_seen: When it asked for something last.
    """

    __slots__ = (
        "attacks", "ecus", "files", "fresh_until", "has_work", "id", "last_seen", "primary",
        "root_version",
    )  # fmt: skip

    def __init__(self, device: devices.Device, ecus: Mapping[str, devices.Ecu]) -> None:
        self.id = device.id
        self.primary = device.primary_serial
        self.ecus = dict(ecus)
        self.attacks = device.attacks
        self.has_work = False
        self.files: dict[str, bytes] = {}
        self.fresh_until = 0.0
        self.root_version = 0
        self.last_seen = device.last_seen or 0

    def registered(self) -> Registered:
        """Return what a manifest is checked against.

        A Secondary that was out of reach is spoken for by its last report, so only those of the
        Primary have to have counters that were never seen; `manifests` looks at the others.
        """
        found = {
            one.serial: RegisteredEcu(
                Key(one.keytype, "", one.public_key),
                one.last_counter if one.serial == self.primary else None,
            )
            for one in self.ecus.values()
        }
        return Registered(self.primary, found, self.id)

    def take_files(
        self, files: Mapping[str, updates.DirectorFile], refresh_before_s: float
    ) -> None:
        """Remember what the Director signed."""
        self.files = {meta_name(role): one.data for role, one in files.items()}
        self.fresh_until = min(one.expires for one in files.values()) - refresh_before_s
        self.root_version = next(iter(files.values())).root_version


class Registry:
    """What is remembered of all devices and certificates."""

    def __init__(self, database: Database, director: Director, images: ImageRepository) -> None:
        self.director = director
        self.images = images
        self._database = database
        self._vehicles: OrderedDict[str, Vehicle] = OrderedDict()
        self._certificates: dict[str, devices.Certificate] = {}
        self._mutex = threading.Lock()
        self._watch: Connection | None = None
        self._data_version = -1
        self._newest = -1
        self._asked = 0.0

    # ------------------------------------------------------------------ what has changed

    def notice(self) -> None:
        """Forget what has changed since, whoever changed it."""
        if self._database.is_sqlite:
            with self._mutex:
                if self._watch is None:
                    self._watch = self._database.engine.connect()
                cursor = self._watch.connection.cursor()
                found = cursor.execute("PRAGMA data_version").fetchone()
                cursor.close()
                version = int(found[0])
                if version == self._data_version:
                    return
                self._data_version = version
        else:
            now = time.monotonic()
            if now - self._asked < _ASK_EVERY_S:
                return
            self._asked = now
        self._look()

    def _look(self) -> None:
        with self._database.read() as connection:
            if self._newest < 0:
                self._newest = devices.newest_change(connection)
                return
            self._newest, changed = devices.changes_after(connection, self._newest)
        for device_id in changed:
            self.forget(device_id)

    def forget(self, device_id: str) -> None:
        """Forget a device and its certificates."""
        with self._mutex:
            self._vehicles.pop(device_id, None)
            for serial in [
                serial for serial, one in self._certificates.items() if one.name == device_id
            ]:
                del self._certificates[serial]

    def close(self) -> None:
        """Give back what is held."""
        with self._mutex:
            if self._watch is not None:
                self._watch.close()
                self._watch = None

    # ----------------------------------------------------------------------- certificates

    def certificate(self, serial: str) -> devices.Certificate | None:
        """Return what is registered of a certificate; None for nothing."""
        known = self._certificates.get(serial)
        if known is not None:
            return known
        with self._database.read() as connection:
            found = devices.find_certificate(connection, serial)
        if found is not None:
            with self._mutex:
                if len(self._certificates) > MAX_VEHICLES:
                    self._certificates.clear()
                self._certificates[serial] = found
        return found

    def knows(self, serial: str) -> devices.Certificate | None:
        """Return what is remembered of a certificate, without a look into the database."""
        return self._certificates.get(serial)

    # --------------------------------------------------------------------------- vehicles

    def peek(self, device_id: str) -> Vehicle | None:
        """Return a device as it is remembered; None if it is not."""
        return self._vehicles.get(device_id)

    def is_fresh(self, vehicle: Vehicle, now: datetime) -> bool:
        """Say whether what the Director says to a device may be given to it as it is."""
        return (
            now.timestamp() < vehicle.fresh_until
            and vehicle.root_version == self.director.root_version()
        )

    def load(self, device_id: str) -> Vehicle | None:
        """Return a device as the database has it, and remember it; None if there is none."""
        with self._database.read() as connection:
            device = devices.find_device(connection, device_id)
            if device is None:
                return None
            found = {one.serial: one for one in devices.list_ecus(connection, device_id)}
            vehicle = Vehicle(device, found)
            vehicle.has_work = bool(updates.open_assignments(connection, device_id))
            files = updates.director_files(connection, device_id)
            says_all = self.director.says_all(connection, device_id, self.images.all_images())
        if says_all:
            vehicle.take_files(files, self.director.refresh_before.total_seconds())
        with self._mutex:
            while len(self._vehicles) >= MAX_VEHICLES:
                self._vehicles.popitem(last=False)
            self._vehicles[device_id] = vehicle
        return vehicle

    def sign(self, vehicle: Vehicle, now: datetime) -> None:
        """Let the Director sign what it says to a device, if that has to be anew."""
        images = self.images.all_images()
        files = self._database.write(
            lambda connection: self.director.sign_if_due(connection, vehicle.id, images, now)
        )
        vehicle.take_files(files, self.director.refresh_before.total_seconds())


def is_device(certificate: devices.Certificate) -> bool:
    """Say whether a certificate is that of a device."""
    return certificate.purpose == Purpose.DEVICE.value
