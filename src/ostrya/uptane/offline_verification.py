# SPDX-License-Identifier: Apache-2.0
"""Verification without a network: a lockbox, on a medium that somebody carries to the device.

A Director signs which images may be installed so, by roles of its own; the medium holds that, the
Image repository's metadata, and the images. What the device knows already may be newer than what is
on the medium, and then counts. The Image repository's timestamp is left out, and its snapshot may
have expired: neither lives as long as a medium does.

Names of files are plain: ``offline-snapshot.json``, ``snapshot.json``, ``NAME.json`` for a lockbox;
those of roles are as the Image repository has them.

Source: PURE-2, Offline Updates; Uptane Standard 2.1.0, section 5.4.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.uptane import checks, trusted_set
from ostrya.uptane.delegation_search import Question, find_image
from ostrya.uptane.errors import EcuMismatch, MetadataInvalid, UptaneRefusal
from ostrya.uptane.full_verification import Verified, compare, new_images
from ostrya.uptane.metadata.custom import correlation_id_of, hardware_ids_of
from ostrya.uptane.metadata.dialect import OFFLINE_SNAPSHOT, OFFLINE_UPDATES, Role
from ostrya.uptane.metadata.signed import parse_envelope
from ostrya.uptane.metadata.snapshot import Snapshot, read_snapshot
from ostrya.uptane.metadata.targets import Targets, read_targets
from ostrya.uptane.refresh import refresh_roots, require
from ostrya.uptane.steps import Accepted, Repository, Wanted

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from ostrya.uptane.full_verification import Vehicle
    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.refresh import Refreshing
    from ostrya.uptane.steps import Step
    from ostrya.uptane.trusted_set import Trusted

_SNAPSHOT, _TARGETS = Role.SNAPSHOT.value, Role.TARGETS.value


def verify_offline(
    director: Trusted, image: Trusted, vehicle: Vehicle, now: datetime
) -> Generator[Step, bytes | None, Verified]:
    """Verify a lockbox for this vehicle.

    Args:
        director: What is trusted of it so far.
        image: What is trusted of the Image repository so far.
        vehicle: What is known without them.
        now: What the time is, above its floor.

    Raises:
        UptaneError: Something is refused.
    """
    director = yield from refresh_roots(Repository.DIRECTOR, director, now)
    director, snapshot = yield from _offline_snapshot(director, now)
    wanted = yield from _offline_targets(director, snapshot, now)
    meant = _meant_for(wanted, vehicle)
    correlation_id = correlation_id_of(wanted)
    if not new_images(meant, vehicle):
        yield Accepted(Repository.DIRECTOR, director)
        return Verified(director, image, (), correlation_id)
    image = yield from refresh_roots(Repository.IMAGE, image, now)
    image = yield from _image_snapshot(image)
    image = yield from _image_targets(image, now)
    agreed = []
    for name, one in meant.images.items():
        kinds = frozenset(hardware_ids_of(wanted.images[name], name))
        image, found = yield from find_image(image, Question(name, kinds, now))
        agreed.append(compare(name, one, found, vehicle))
    yield Accepted(Repository.DIRECTOR, director)
    return Verified(director, image, tuple(agreed), correlation_id)


def refresh_offline_snapshot(
    found: Trusted,
) -> Generator[Step, bytes | None, tuple[Trusted, str]]:
    """Take the newest list of lockboxes while there is a network, so that older media are refused.

    Returns:
        What is trusted of the Director, and why its list was left alone; empty for no reason.

    Raises:
        RollbackDetected: The list takes something back.
    """
    if OFFLINE_SNAPSHOT not in found.root.roles:
        return found, ""
    file, limit = f"{OFFLINE_SNAPSHOT}.json", found.limits.snapshot_bytes
    data = yield Wanted(Repository.DIRECTOR, file, limit, may_be_absent=True)
    if data is None:
        return found, ""
    what = found.what(OFFLINE_SNAPSHOT)
    try:
        new = _read_snapshot(found, data, what)
    except UptaneRefusal as exc:
        # PURE-2: updates over the network go on without it.
        return found, exc.message
    known = _known_snapshot(found, what)
    if known is not None and known.header.version >= new.header.version:
        return found, ""
    checks.check_listed_versions(new, known, what)
    checks.check_listed_files(new, known, what)
    found = found.with_file(OFFLINE_SNAPSHOT, data)
    yield Accepted(Repository.DIRECTOR, found)
    return found, ""


def _offline_snapshot(
    found: Trusted, now: datetime
) -> Generator[Step, bytes | None, tuple[Trusted, Snapshot]]:
    """Take the list of lockboxes, from the medium or as it is known, whichever is newer."""
    what = found.what(OFFLINE_SNAPSHOT)
    file = f"{OFFLINE_SNAPSHOT}.json"
    data = yield from require(Repository.DIRECTOR, file, found.limits.snapshot_bytes)
    new = _read_snapshot(found, data, what)
    known = _known_snapshot(found, what)
    if known is not None and known.header.version >= new.header.version:
        checks.check_unexpired(known.header, now, what)
        return found, known
    checks.check_listed_versions(new, known, what)
    checks.check_listed_files(new, known, what)
    checks.check_unexpired(new.header, now, what)
    return found.with_file(OFFLINE_SNAPSHOT, data), new


def _read_snapshot(found: Trusted, data: bytes, what: str) -> Snapshot:
    checks.check_size(data, found.limits.snapshot_bytes, what)
    envelope = parse_envelope(data, found.dialect, len(data), what)
    keys = found.root.role(OFFLINE_SNAPSHOT)
    checks.check_signed(envelope, found.root.keys, keys, what, OFFLINE_SNAPSHOT)
    return read_snapshot(envelope.signed, found.dialect, what)


def _known_snapshot(found: Trusted, what: str) -> Snapshot | None:
    data = found.files.get(OFFLINE_SNAPSHOT)
    if data is None:
        return None
    try:
        return _read_snapshot(found, data, what)
    except UptaneRefusal:
        # Its keys are not good any more, or the disk lost it.
        return None


def _offline_targets(
    found: Trusted, snapshot: Snapshot, now: datetime
) -> Generator[Step, bytes | None, Targets]:
    """Take the first lockbox of the list that is on the medium."""
    for name, listed in snapshot.meta.items():
        limit = found.limits.targets_bytes
        data = yield Wanted(Repository.DIRECTOR, name, limit, may_be_absent=True)
        if data is None:
            continue
        what = found.what(f"lockbox {name.removesuffix('.json')}")
        checks.check_size(data, limit, what)
        checks.check_file(data, listed, what)
        envelope = parse_envelope(data, found.dialect, len(data), what)
        keys = found.root.role(OFFLINE_UPDATES)
        checks.check_signed(envelope, found.root.keys, keys, what, OFFLINE_UPDATES)
        targets = read_targets(envelope.signed, found.dialect, what)
        checks.check_version(targets.header, listed, what)
        checks.check_unexpired(targets.header, now, what)
        checks.check_no_delegations(targets, what)
        return targets
    raise MetadataInvalid(
        f"no lockbox that the {found.name} lists is on the medium",
        hint="the newest list that is known may have left it out; make it again",
    )


def _meant_for(targets: Targets, vehicle: Vehicle) -> Targets:
    """Return Targets that say for which ECU of this vehicle each image is.

    Raises:
        EcuMismatch: There are two images for one.
    """
    taken: dict[str, str] = {}
    images = {}
    for name, one in targets.images.items():
        kinds = hardware_ids_of(one, name)
        ecus = {serial: kind for serial, kind in vehicle.ecus.items() if kind in kinds}
        for serial in ecus:
            check_one_image(serial, taken.get(serial), name)
            taken[serial] = name
        if ecus:
            told: Object = {serial: {"hardwareId": kind} for serial, kind in ecus.items()}
            images[name] = one._replace(custom={**(one.custom or {}), "ecuIdentifiers": told})
    return targets._replace(images=images)


def check_one_image(serial: str, other: str | None, name: str) -> None:
    """Refuse a lockbox that has two images for one ECU (PURE-2, step 4.4)."""
    if other is not None:
        raise EcuMismatch(f"the lockbox has {other} and {name} for the ECU {serial}")


def _image_snapshot(found: Trusted) -> Refreshing:
    """Take the Image repository's snapshot from the medium, unless a newer one is known."""
    what = found.what(_SNAPSHOT)
    limit = found.limits.snapshot_bytes
    data = yield from require(Repository.IMAGE, f"{_SNAPSHOT}.json", limit)
    checks.check_size(data, limit, what)
    envelope = parse_envelope(data, found.dialect, len(data), what)
    root = found.root
    checks.check_signed(envelope, root.keys, root.role(_SNAPSHOT), what, _SNAPSHOT)
    new = read_snapshot(envelope.signed, found.dialect, what)
    known = found.snapshot
    if known is not None and known.header.version >= new.header.version:
        return found
    checks.check_listed_files(new, known, what)
    checks.check_listed_versions(new, known, what)
    found = found._replace(snapshot=new).with_file(_SNAPSHOT, data)
    yield Accepted(Repository.IMAGE, found)
    return found


def _image_targets(found: Trusted, now: datetime) -> Refreshing:
    if trusted_set.has_newest_targets(found) and found.targets is not None:
        checks.check_unexpired(found.targets.header, now, found.what(_TARGETS))
        return found
    limit = trusted_set.targets_bytes(found, _TARGETS)
    data = yield from require(Repository.IMAGE, f"{_TARGETS}.json", limit)
    found = trusted_set.accept_targets(found, data, now)
    yield Accepted(Repository.IMAGE, found)
    return found
