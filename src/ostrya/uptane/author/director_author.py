# SPDX-License-Identifier: Apache-2.0
"""What a Director says to one vehicle: Targets for its ECUs, and the snapshot and timestamp above.

A server makes these anew whenever something changes for a vehicle, with keys that are the same for
all of them. So Targets name the vehicle, also when there is nothing to do.

Source: Uptane Standard 2.1.0, section 5.3.2.1, steps 6 and 7; aktualizr's and ota-tuf's Director.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.custom import hardware_ids_of, release_counter_of
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.file_names import TIMESTAMP_FILE, meta_name
from ostrya.uptane.metadata.hashes import digests
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.signed import sign
from ostrya.uptane.metadata.snapshot import MetaFile, Snapshot
from ostrya.uptane.metadata.targets import Image, Targets
from ostrya.uptane.metadata.timestamp import Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.metadata.secret_keys import SecretKey

_TARGETS, _SNAPSHOT = Role.TARGETS.value, Role.SNAPSHOT.value
_TIMESTAMP = Role.TIMESTAMP.value


class Assignment(NamedTuple):
    """An image that ECUs shall run.

    Attributes:
        name: Of the image.
        image: What the Image repository says of it.
        ecus: Kinds of hardware, by serials of the ECUs.
        uri: Where it is, if not at its usual place.
    """

    name: str
    image: Image
    ecus: Mapping[str, str]
    uri: str = ""


class Order(NamedTuple):
    """All that a vehicle shall run.

    Attributes:
        vehicle_id: Of the vehicle.
        assignments: One for each image; none for nothing to do.
        correlation_id: What the update is called in reports; empty for none.
    """

    vehicle_id: str
    assignments: tuple[Assignment, ...]
    correlation_id: str = ""


class Lifetimes(NamedTuple):
    """Until when each role's metadata is to be believed."""

    targets: datetime
    snapshot: datetime
    timestamp: datetime


class Versions(NamedTuple):
    """The versions that a vehicle has of each role; 0 for none."""

    targets: int = 0
    snapshot: int = 0
    timestamp: int = 0

    def next(self) -> Versions:
        """Return the versions after these."""
        return Versions(self.targets + 1, self.snapshot + 1, self.timestamp + 1)


def director_files(
    order: Order,
    versions: Versions,
    lifetimes: Lifetimes,
    keys: Mapping[str, Sequence[tuple[str, SecretKey]]],
) -> dict[str, bytes]:
    """Return the files of a vehicle, signed, the timestamp last.

    Args:
        order: What it shall run.
        versions: That the files get.
        lifetimes: Until when they are to be believed.
        keys: By role, each with the id that the root has for it.

    Raises:
        AuthoringError: An ECU has two images, or one that is not made for it.
    """
    _check(order)
    images = {one.name: _told(one) for one in order.assignments}
    custom: Object = {"vehicleId": order.vehicle_id}
    if order.correlation_id:
        custom["correlationId"] = order.correlation_id
    dialect = Dialect.UPTANE

    def signed(role: str, value: Object) -> bytes:
        return sign(value, dialect, keys[role]).to_bytes()

    header = Header(versions.targets, lifetimes.targets)
    targets = signed(_TARGETS, Targets(header, images, None, custom).to_json(dialect))
    listed = {meta_name(_TARGETS): _described(targets, versions.targets)}
    header = Header(versions.snapshot, lifetimes.snapshot)
    snapshot = signed(_SNAPSHOT, Snapshot(header, listed).to_json(dialect))
    header = Header(versions.timestamp, lifetimes.timestamp)
    timestamp = Timestamp(header, _described(snapshot, versions.snapshot)).to_json(dialect)
    return {
        meta_name(_TARGETS): targets,
        meta_name(_SNAPSHOT): snapshot,
        TIMESTAMP_FILE: signed(_TIMESTAMP, timestamp),
    }


def _described(data: bytes, version: int) -> MetaFile:
    return MetaFile(version, len(data), digests(data))


def _told(one: Assignment) -> Image:
    custom: Object = {
        "ecuIdentifiers": {serial: {"hardwareId": kind} for serial, kind in one.ecus.items()}
    }
    if one.uri:
        custom["uri"] = one.uri
    counter = release_counter_of(one.image, one.name)
    if counter is not None:
        custom["releaseCounter"] = counter
    return Image(one.image.length, one.image.hashes, custom)


def _check(order: Order) -> None:
    taken: dict[str, str] = {}
    for one in order.assignments:
        made_for = hardware_ids_of(one.image, one.name)
        for serial, kind in one.ecus.items():
            if serial in taken:
                raise AuthoringError(f"{taken[serial]} and {one.name} are both for {serial}")
            if kind not in made_for:
                raise AuthoringError(
                    f"{one.name} is not made for {serial}, a {kind}",
                    hint=f"it is made for {', '.join(made_for) or 'nothing that is said'}",
                )
            taken[serial] = one.name
        if not one.ecus:
            raise AuthoringError(f"{one.name} is for no ECU")
    if len({one.name for one in order.assignments}) != len(order.assignments):
        raise AuthoringError("an image is named twice", hint="name all its ECUs at once")
