# SPDX-License-Identifier: Apache-2.0
"""A device at a glance, as ``ota info`` prints it: for people, and as JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.uptane.metadata.fields import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ostrya.uptane.client.installs import Target
    from ostrya.uptane.client.overview import Overview, SeenEcu
    from ostrya.uptane.client.state import Trouble
    from ostrya.uptane.client.system_view import SeenSystem
    from ostrya.uptane.metadata.json_text import Json, Object


def overview_lines(seen: Overview, system: SeenSystem | None = None) -> Iterator[str]:
    """Yield what people read.

    Args:
        seen: What the client knows.
        system: The system that it updates; None where that is no OSTree system.
    """
    yield f"device {seen.device_id or 'without a name yet'}"
    yield f"server {seen.server or 'not known yet'}"
    yield f"provisioned {'yes' if seen.is_provisioned else 'no'}"
    yield f"metadata fetched {'yes' if seen.has_metadata else 'no'}"
    yield f"server answered last {seen.contact or 'never'}"
    yield f"last success {seen.success or 'never'}"
    for at, ecu in enumerate(seen.ecus):
        yield f"ECU {ecu.serial}{'' if at else ' (Primary)'}, a {ecu.hardware_id}"
        yield from _ecu_lines(ecu)
    for serial in seen.misconfigured:
        yield f"ECU {serial} was there once, and is not any more"
    yield from [] if system is None else _system_lines(system)
    for one in seen.metadata:
        if one.is_expired:
            yield f"expired {one.expires}: {one.role} {one.version} of the {one.repository.shown}"
    if seen.events:
        yield f"{seen.events} events wait to be handed in"
    for serial, attack in seen.attacks.items():
        yield f"attack noted by {serial}: {attack}"
    yield from _trouble_lines(seen.troubles)


def _system_lines(system: SeenSystem) -> Iterator[str]:
    yield f"system {system.path}"
    if system.problem:
        yield f"  cannot be read: {system.problem}"
    elif not system.deployments:
        yield "  has no deployments"
    for one in system.deployments:
        marks = [one.mark, "" if not one.is_next or one.is_booted else "booted next"]
        told = [one.image, f"version {one.version}" if one.version else "", *marks]
        words = ", ".join(word for word in told if word)
        start = "*" if one.is_booted else " "
        yield f"{start} {one.stateroot} {one.checksum}.{one.serial}{f': {words}' if words else ''}"
        if one.remark:
            yield f"    {one.remark}"
    if system.last_rollback:
        yield f"  rolled back last: {system.last_rollback}"
    if system.not_finalized:
        yield f"  what was staged last did not become the default: {system.not_finalized}"
    for sentence in system.damage:
        yield f"  damage: {sentence}"


def _trouble_lines(troubles: Mapping[str, Trouble]) -> Iterator[str]:
    for area, trouble in troubles.items():
        yield f"{area}: {trouble.condition.value}: {trouble.message}"
        if trouble.hint:
            yield f"  {trouble.hint}"
        if trouble.times > 1:
            since, last = format_time(trouble.since), format_time(trouble.last)
            yield f"  {trouble.times} times since {since}, last {last}"
    if not troubles:
        yield "nothing is wrong"


def _ecu_lines(ecu: SeenEcu) -> Iterator[str]:
    if ecu.installed is None:
        yield "  runs what it was made with: nothing was installed as an update"
    else:
        yield f"  runs {_words(ecu.installed)}"
    if ecu.pending is not None:
        how = "counts after a restart" if ecu.pending.state.value == "applied" else "was begun"
        yield f"  pending {_words(ecu.pending.target)}: {how}"
    if ecu.given_up is not None:
        why = "" if ecu.reason is None else f": {ecu.reason.code}: {ecu.reason.description}"
        yield f"  gave up {_words(ecu.given_up)}{why}"


def _words(target: Target) -> str:
    digest = target.hashes.get("sha256") or next(iter(target.hashes.values()), "")
    return f"{target.name} ({digest})"


def overview_json(seen: Overview, system: SeenSystem | None = None) -> Object:
    """Return what programs read."""
    return {
        "device_id": seen.device_id or None,
        "server": seen.server or None,
        "provisioned": seen.is_provisioned,
        "metadata_fetched": seen.has_metadata,
        "last_contact": seen.contact or None,
        "last_success": seen.success or None,
        "ecus": [_ecu(one, is_primary=at == 0) for at, one in enumerate(seen.ecus)],
        "system": None if system is None else _system(system),
        "misconfigured_ecus": list(seen.misconfigured),
        "metadata": [
            {
                "repository": one.repository.value,
                "role": one.role,
                "version": one.version,
                "expires": one.expires,
                "expired": one.is_expired,
            }
            for one in seen.metadata
        ],
        "events_waiting": seen.events,
        "attacks": [{"ecu": ecu, "attack": attack} for ecu, attack in seen.attacks.items()],
        "troubles": [_trouble(area, one) for area, one in seen.troubles.items()],
    }


def _system(system: SeenSystem) -> Json:
    return {
        "path": system.path,
        "problem": system.problem or None,
        "deployments": [
            {
                "stateroot": one.stateroot,
                "checksum": one.checksum,
                "serial": one.serial,
                "image": one.image or None,
                "version": one.version or None,
                "booted": one.is_booted,
                "next_boot": one.is_next,
                "mark": one.mark or None,
                "remark": one.remark or None,
            }
            for one in system.deployments
        ],
        "last_rollback": system.last_rollback or None,
        "not_finalized": system.not_finalized or None,
        "damage": list(system.damage),
    }


def _ecu(ecu: SeenEcu, *, is_primary: bool) -> Json:
    pending, given_up = ecu.pending, ecu.given_up
    reason = None if ecu.reason is None else f"{ecu.reason.code}: {ecu.reason.description}"
    return {
        "serial": ecu.serial,
        "hardware_id": ecu.hardware_id,
        "primary": is_primary,
        "installed": None if ecu.installed is None else _image(ecu.installed),
        "pending": None
        if pending is None
        else {**_image(pending.target), "state": pending.state.value},
        "given_up": None if given_up is None else {**_image(given_up), "reason": reason},
    }


def _image(target: Target) -> Object:
    return {
        "image": target.name,
        "size": target.length,
        "hashes": dict(target.hashes),
        "correlation_id": target.correlation_id,
    }


def _trouble(area: str, one: Trouble) -> Json:
    return {
        "area": area,
        "condition": one.condition.value,
        "message": one.message,
        "hint": one.hint,
        "since": format_time(one.since),
        "last": format_time(one.last),
        "times": one.times,
    }
