# SPDX-License-Identifier: Apache-2.0
"""Assignments: an image that ECUs shall run, and how far that is.

::

    pending → downloading → installing → applied → done
        └────────────┴────────────┴─────────┴────→ failed, cancelled

Events and reports of a device move an assignment on, never back. Done it is only once a manifest
shows that the ECU runs the image: a device that says so and does not is not believed.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from ostrya.fleet.db import devices, updates
from ostrya.fleet.errors import BadRequest, Conflict, NotFound
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.custom import hardware_ids_of, is_ostree
from ostrya.uptane.metadata.json_text import check_string

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from ostrya.uptane.metadata.targets import Image

_RANK = {state: at for at, state in enumerate((*updates.OPEN, updates.DONE))}
_MAX_REASON = 2000


class Wanted(NamedTuple):
    """What is to be assigned.

    Attributes:
        device_id: To which device.
        target: Name of the image.
        ecus: Serials; empty for all that the image is made for.
        correlation_id: What the update is called; empty for a new name.
        uri: Where the image is, if not at its usual place.
    """

    device_id: str
    target: str
    ecus: tuple[str, ...] = ()
    correlation_id: str = ""
    uri: str = ""


def new_correlation_id(kind: str = "update") -> str:
    """Make up a name for an update that no other has."""
    return f"urn:ostrya:{kind}:{uuid.uuid4()}"


def assign(
    connection: Connection, wanted: Wanted, images: Mapping[str, Image], now: int
) -> tuple[updates.Assignment, ...]:
    """Assign an image to ECUs of a device.

    Raises:
        NotFound: There is no such device, image or ECU.
        Conflict: An ECU has an assignment that is open, or is of another kind.
    """
    if devices.find_device(connection, wanted.device_id) is None:
        raise NotFound(
            f"there is no device {wanted.device_id[:80]!r}",
            code="missing_device",
            hint="`ostrya fleet device list` lists them",
        )
    image = images.get(wanted.target)
    if image is None:
        raise NotFound(
            f"the Image repository has no image {wanted.target[:200]!r}",
            code="missing_target",
            hint="`ostrya fleet targets list` lists them",
        )
    correlation_id = wanted.correlation_id or new_correlation_id()
    _check_text(correlation_id, "the correlation id")
    _check_text(wanted.uri, "the address of the image")
    chosen = _choose(connection, wanted, image)
    _check_free(connection, wanted, chosen)
    added = []
    for ecu in chosen:
        one = updates.Assignment(
            0, wanted.device_id, ecu.serial, ecu.hardware_id, wanted.target, image.length,
            image.hashes["sha256"], wanted.uri, correlation_id, updates.PENDING, "", "", now, now,
        )  # fmt: skip
        added.append(one._replace(id=updates.add_assignment(connection, one)))
    devices.note_change(connection, wanted.device_id)
    return tuple(added)


def _check_text(text: str, what: str) -> None:
    if len(text) > 500 or not text.isascii() or not text.isprintable():
        raise BadRequest(f"{what} has other characters than printable ASCII, or too many")


def _choose(connection: Connection, wanted: Wanted, image: Image) -> tuple[devices.Ecu, ...]:
    known = {one.serial: one for one in devices.list_ecus(connection, wanted.device_id)}
    kinds = hardware_ids_of(image, wanted.target)
    if "sha256" not in image.hashes:
        raise Conflict(f"{wanted.target} has no SHA-256, by which a report could be known")
    if not known:
        raise Conflict(
            f"{wanted.device_id} has registered no ECU yet",
            code="device_without_ecus",
            hint="it does so when it is started for the first time",
        )
    if not wanted.ecus:
        chosen = tuple(one for one in known.values() if one.hardware_id in kinds)
        if not chosen:
            raise Conflict(
                f"{wanted.target} is made for {', '.join(kinds)}, and {wanted.device_id} has"
                f" {', '.join(sorted({one.hardware_id for one in known.values()}))}",
                code="hardware_mismatch",
            )
        return chosen
    for serial in wanted.ecus:
        if serial not in known:
            raise NotFound(
                f"{wanted.device_id} has no ECU {serial[:80]!r}",
                code="missing_ecu",
                hint=f"it has {', '.join(known)}",
            )
        if known[serial].hardware_id not in kinds:
            raise Conflict(
                f"{wanted.target} is made for {', '.join(kinds)}, and {serial} is a"
                f" {known[serial].hardware_id}",
                code="hardware_mismatch",
            )
    return tuple(known[serial] for serial in dict.fromkeys(wanted.ecus))


def _check_free(connection: Connection, wanted: Wanted, chosen: Sequence[devices.Ecu]) -> None:
    taken = {one.ecu: one for one in updates.open_assignments(connection, wanted.device_id)}
    for ecu in chosen:
        if ecu.serial in taken:
            raise Conflict(
                f"{ecu.serial} has {taken[ecu.serial].target} assigned already",
                code="assignment_exists",
                hint="wait for it, or cancel it: `ostrya fleet cancel DEVICE`",
            )
    same = [one for one in taken.values() if one.target == wanted.target]
    if any(one.uri != wanted.uri for one in same):
        raise Conflict(f"{wanted.target} is assigned with another address already")


def cancel(
    connection: Connection, device_id: str, ecus: Sequence[str], now: int
) -> tuple[updates.Assignment, ...]:
    """Take back what is still to come for a device, or for some of its ECUs.

    A device that has begun goes on until it asks again; what it installed, it reports all the same.

    Raises:
        NotFound: There is nothing to take back.
    """
    found = [
        one
        for one in updates.open_assignments(connection, device_id)
        if not ecus or one.ecu in ecus
    ]
    if not found:
        raise NotFound(f"nothing is assigned to {device_id[:80]}", code="missing_assignment")
    values = {"state": updates.CANCELLED, "code": "CANCELLED", "updated": now}
    for one in found:
        updates.change_assignment(connection, one.id, values)
    devices.note_change(connection, device_id)
    return tuple(one._replace(state=updates.CANCELLED, updated=now) for one in found)


# ------------------------------------------------------------------- how far they are


class Progress(NamedTuple):
    """What a device says of an assignment.

    Attributes:
        state: How far it is; empty for no change.
        code: Of a result.
        reason: In words.
    """

    state: str = ""
    code: str = ""
    reason: str = ""


def move_on(
    connection: Connection, one: updates.Assignment, progress: Progress, now: int
) -> updates.Assignment:
    """Let an assignment be further than it was; back it never goes."""
    values: dict[str, object] = {}
    state = progress.state
    if state and (state == updates.FAILED or _RANK[state] > _RANK.get(one.state, 99)):
        values["state"] = state
    if progress.code:
        values["code"] = progress.code[:200]
    if progress.reason != one.reason and (progress.reason or state == updates.DONE):
        values["reason"] = progress.reason[:_MAX_REASON]
    if not values or one.state in updates.CLOSED:
        return one
    values["updated"] = now
    updates.change_assignment(connection, one.id, values)
    return one._replace(**values)  # type: ignore[arg-type]  # columns of its own


def is_of(
    one: updates.Assignment, correlation_id: str, all_open: Sequence[updates.Assignment]
) -> bool:
    """Say whether something that names an update is about an assignment.

    Targets have one name for all that a vehicle shall run, so each open one may be meant by the
    names of the others.
    """
    return not correlation_id or correlation_id in {
        one.correlation_id, *(other.correlation_id for other in all_open)
    }  # fmt: skip


def kind_of(image: Image) -> str:
    """Return what kind of image it is, as people are told."""
    return "ostree" if is_ostree(image) else "binary"


def check_name(text: str, what: str) -> None:
    """Refuse what cannot be a name.

    Raises:
        BadRequest: It cannot.
    """
    try:
        check_string(text, what)
    except Exception as exc:
        raise BadRequest(f"{what} is no text") from exc
    if not 0 < len(text) <= 200 or not text.isprintable() or text != text.strip():
        raise BadRequest(f"{what} is {text[:80]!r}: up to 200 characters that can be printed")
