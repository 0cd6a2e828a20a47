# SPDX-License-Identifier: Apache-2.0
"""What each vehicle shall run, signed for it alone.

::

    assignments of a device that are open  →  Targets  →  snapshot  →  timestamp

They are signed anew when an assignment comes or goes, when the root has other keys, and when little
of their time is left. Versions grow for each vehicle by itself. Targets always name the vehicle, so
that nobody can give what one shall run, or that it shall run nothing, to another one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ostrya.fleet.db import devices, updates
from ostrya.fleet.errors import SetupError
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.director_author import (
    Assignment,
    Lifetimes,
    Order,
    Versions,
    director_files,
)
from ostrya.uptane.author.workplace import REPOSITORY
from ostrya.uptane.metadata.custom import hardware_ids_of
from ostrya.uptane.metadata.dialect import Role
from ostrya.uptane.metadata.file_names import meta_name, root_file
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.targets import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from ostrya.fleet.settings import Metadata
    from ostrya.uptane.author.workplace import Workplace
    from ostrya.uptane.metadata.json_text import Json
    from ostrya.uptane.metadata.secret_keys import SecretKey

_ROLES = (Role.TARGETS.value, Role.SNAPSHOT.value, Role.TIMESTAMP.value)
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
_MAX_BYTES = 64 * 1024 * 1024


class SigningKeys(NamedTuple):
    """The keys that a root gives to the roles of a vehicle's files.

    Attributes:
        root_version: Of that root.
        keys: By role, each with its id.
    """

    root_version: int
    keys: Mapping[str, tuple[tuple[str, SecretKey], ...]]


class Director:
    """The Director of a server.

    Attributes:
        work: Its workplace.
    """

    def __init__(self, work: Workplace, lifetimes: Metadata) -> None:
        self.work = work
        self._hours = lifetimes
        self._keys: SigningKeys | None = None
        self._roots: dict[int, bytes] = {}

    @property
    def refresh_before(self) -> timedelta:
        """With how much of its time left a file is signed anew."""
        return timedelta(hours=self._hours.refresh_hours)

    def root(self, version: int) -> bytes | None:
        """Return a root, None if there is none yet."""
        known = self._roots.get(version)
        if known is not None:
            return known
        if not 0 < version < 1_000_000:
            return None
        try:
            with open(self.work.path(REPOSITORY, root_file(version)), "rb") as stream:
                data = stream.read(_MAX_BYTES)
        except FileNotFoundError:
            return None
        # What is published once stays as it is.
        self._roots[version] = data
        return data

    def root_version(self) -> int:
        """Return the version of the newest root."""
        version = self._keys.root_version if self._keys else 0
        while self.root(version + 1) is not None:
            version += 1
        return version

    def keys(self) -> SigningKeys:
        """Return the keys of the newest root.

        Raises:
            SetupError: One of them is not here.
        """
        version = self.root_version()
        if self._keys is None or self._keys.root_version != version:
            self.work.keyring.look_again()
            root = self.work.root()
            found = {role: self._find(root.keys_of(role)) for role in _ROLES}
            for role, pairs in found.items():
                if len(pairs) < root.role(role).threshold:
                    raise SetupError(
                        f"too few keys of {role} of the Director are in {self.work.path('keys')}",
                        hint="a Director signs for each vehicle: its keys have to be there",
                    )
            self._keys = SigningKeys(version, found)
        return self._keys

    def _find(self, keys: Mapping[str, object]) -> tuple[tuple[str, SecretKey], ...]:
        found = []
        for key_id, key in keys.items():
            secret = self.work.keyring.find(key)  # type: ignore[arg-type]  # of a root
            if secret is not None:
                found.append((key_id, secret))
        return tuple(found)

    # ------------------------------------------------------------------------- signing

    def is_fresh(self, files: Mapping[str, updates.DirectorFile], now: datetime) -> bool:
        """Say whether files of a vehicle may be given to it as they are."""
        soon = int((now + self.refresh_before).timestamp())
        version = self.root_version()
        return len(files) == len(_ROLES) and all(
            one.expires > soon and one.root_version == version for one in files.values()
        )

    def sign_if_due(
        self, connection: Connection, device_id: str, images: Mapping[str, Image], now: datetime
    ) -> dict[str, updates.DirectorFile]:
        """Return the files of a vehicle, signed anew if they have to be.

        Args:
            connection: To change by.
            device_id: Of the vehicle.
            images: What the Image repository has.
            now: What the time is.
        """
        files = updates.director_files(connection, device_id)
        order = order_of(connection, device_id, images)
        if self.is_fresh(files, now) and _says(files, order):
            return files
        return self._sign(connection, device_id, order, files, now)

    def sign_anew(
        self, connection: Connection, device_id: str, images: Mapping[str, Image], now: datetime
    ) -> None:
        """Sign the files of a vehicle with a new lifetime, whether or not they have to be."""
        files = updates.director_files(connection, device_id)
        self._sign(connection, device_id, order_of(connection, device_id, images), files, now)

    def says_all(self, connection: Connection, device_id: str, images: Mapping[str, Image]) -> bool:
        """Say whether what was signed for a vehicle is what it shall run by now."""
        files = updates.director_files(connection, device_id)
        return len(files) == len(_ROLES) and _says(files, order_of(connection, device_id, images))

    def _sign(
        self,
        connection: Connection,
        device_id: str,
        order: Order,
        before: Mapping[str, updates.DirectorFile],
        now: datetime,
    ) -> dict[str, updates.DirectorFile]:
        keys = self.keys()
        first = 0 if before else _first_version(connection, device_id, now)
        known = [before[role].version if role in before else first for role in _ROLES]
        versions = Versions(*known).next()
        hours = self._hours
        times = [
            now.replace(microsecond=0) + timedelta(hours=one)
            for one in (hours.targets_hours, hours.snapshot_hours, hours.timestamp_hours)
        ]
        data = director_files(order, versions, Lifetimes(*times), keys.keys)
        found = {}
        for role, version, moment in zip(_ROLES, versions, times, strict=True):
            file = updates.DirectorFile(
                role, version, keys.root_version, int(moment.timestamp()), data[meta_name(role)]
            )
            updates.put_director_file(connection, device_id, file)
            found[role] = file
        devices.note_change(connection, device_id)
        return found


def _first_version(connection: Connection, device_id: str, now: datetime) -> int:
    """Return the version before the first one that is signed for a device.

    A device that was removed and came back may remember what was signed for it before, and refuses
    what is older. So its versions go on at the number of minutes since then: nobody signs oftener.
    """
    if len(devices.list_certificates(connection, device_id)) < 2:
        return 0
    return minutes_at(now)


def minutes_at(now: datetime) -> int:
    """Return a version that nobody who signs once a minute at most has come to before."""
    return max(int((now - _BEGINNING).total_seconds() // 60), 0)


def order_of(connection: Connection, device_id: str, images: Mapping[str, Image]) -> Order:
    """Return all that a vehicle shall run, as it is to be said to it."""
    told: dict[str, Assignment] = {}
    correlation_id = ""
    for one in updates.open_assignments(connection, device_id):
        image = _image(one, images)
        known = told.get(one.target)
        ecus = {**(known.ecus if known else {}), one.ecu: one.hardware_id}
        told[one.target] = Assignment(one.target, image, ecus, one.uri)
        correlation_id = one.correlation_id
    return Order(device_id, tuple(told.values()), correlation_id)


def _image(one: updates.Assignment, images: Mapping[str, Image]) -> Image:
    found = images.get(one.target)
    if (
        found is not None
        and found.hashes.get("sha256") == one.sha256
        and one.hardware_id in hardware_ids_of(found, one.target)
    ):
        return found
    # It was taken out of the Image repository since; a device will say that there is none.
    kinds: list[Json] = [one.hardware_id]
    return Image(one.length, {"sha256": one.sha256}, {"hardwareIds": kinds})


def _says(files: Mapping[str, updates.DirectorFile], order: Order) -> bool:
    """Say whether Targets name the ECUs, images and the update of an order."""
    data = files[Role.TARGETS.value].data
    value = parse_json(data, len(data), "Targets")
    signed = value.get("signed") if isinstance(value, dict) else None
    if not isinstance(signed, dict):
        return False
    custom = signed.get("custom")
    correlation_id = custom.get("correlationId", "") if isinstance(custom, dict) else ""
    found: dict[str, list[str]] = {}
    targets = signed.get("targets")
    for name, one in targets.items() if isinstance(targets, dict) else ():
        more = one.get("custom") if isinstance(one, dict) else None
        ecus = more.get("ecuIdentifiers") if isinstance(more, dict) else None
        found[name] = sorted(ecus) if isinstance(ecus, dict) else []
    wanted = {one.name: sorted(one.ecus) for one in order.assignments}
    return correlation_id == order.correlation_id and found == wanted
