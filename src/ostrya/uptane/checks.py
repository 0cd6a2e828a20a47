# SPDX-License-Identifier: Apache-2.0
"""Every rule of the Standard by itself: each returns nothing, or refuses.

Which rule is for which sentence of the Standard, and which test shows that nothing else catches
what it is for, stands in docs/reference/uptane-conformance.md. Callers call them by way of this
module, so that a test can take one away.

Source: Uptane Standard 2.1.0, sections 5.4.3 and 5.4.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.uptane.errors import (
    EcuMismatch,
    MetadataExpired,
    MetadataInvalid,
    MetadataMismatch,
    MetadataTooLarge,
    RollbackDetected,
    TargetMismatch,
)
from ostrya.uptane.metadata.custom import (
    ecus_of,
    hardware_ids_of,
    release_counter_of,
    vehicle_id_of,
)
from ostrya.uptane.metadata.fields import format_time
from ostrya.uptane.metadata.hashes import KNOWN, digests, wrong_digests
from ostrya.uptane.metadata.signed import require_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ostrya.uptane.metadata.header import Header
    from ostrya.uptane.metadata.keys import Key
    from ostrya.uptane.metadata.root import Root
    from ostrya.uptane.metadata.signed import Envelope, RoleKeys
    from ostrya.uptane.metadata.snapshot import MetaFile, Snapshot
    from ostrya.uptane.metadata.targets import Image, Targets
    from ostrya.uptane.metadata.timestamp import Timestamp

# Older servers list it, and the Standard asks for it no more; a root has rules of its own.
_ROOT_FILE = "root.json"

# ------------------------------------------------------------------------ any metadata


def check_size(data: bytes, max_bytes: int, what: str) -> None:
    """Refuse more bytes than were asked for (R2, T1, S1, G1)."""
    if len(data) > max_bytes:
        raise MetadataTooLarge(f"{what} has more than {max_bytes} bytes")


def check_signed(
    envelope: Envelope, keys: Mapping[str, Key], role_keys: RoleKeys, what: str, role: str
) -> None:
    """Refuse what is not signed by a threshold of different keys (T2, S3, G3)."""
    require_threshold(envelope, keys, role_keys, what, role)


def check_unexpired(header: Header, now: datetime, what: str) -> None:
    """Refuse what is not to be believed any more (R6, T4, S7, G5)."""
    if now >= header.expires:
        raise MetadataExpired(what, format_time(header.expires), format_time(now))


def check_no_rollback(header: Header, known: Header | None, what: str) -> None:
    """Refuse an older version than the one that is known (T3, S4, G4)."""
    if known is not None and header.version < known.version:
        raise RollbackDetected(f"{what} has version {header.version}, {known.version} is known")


def check_same_version_same_content(new: object, known: object, what: str) -> None:
    """Refuse two different files of one version, of which one is for somebody else."""
    if new != known:
        raise MetadataMismatch(f"{what} has the version that is known, but says something else")


# -------------------------------------------------------------------------------- root


def check_root_signed_by_old(envelope: Envelope, old: Root, what: str) -> None:
    """Refuse a root that the one before it does not vouch for (R3, first half)."""
    require_threshold(envelope, old.keys, old.role("root"), what, "the root before it")


def check_root_signed_by_itself(envelope: Envelope, new: Root, what: str) -> None:
    """Refuse a root that its own keys do not vouch for (R3, second half)."""
    require_threshold(envelope, new.keys, new.role("root"), what, "its own root")


def check_root_is_next(new: Root, old: Root, what: str) -> None:
    """Refuse a root that is not the one after the known one (R4)."""
    if new.header.version < old.header.version:
        raise RollbackDetected(
            f"{what} has version {new.header.version}, {old.header.version} is known"
        )
    if new.header.version != old.header.version + 1:
        raise MetadataInvalid(
            f"{what} has version {new.header.version}, {old.header.version + 1} is the next"
        )


# --------------------------------------------------------------- timestamp and snapshot


def check_snapshot_not_older(new: Timestamp, known: Timestamp | None, what: str) -> None:
    """Refuse a timestamp that goes back to an older snapshot (T3)."""
    if known is not None and new.snapshot.version < known.snapshot.version:
        raise RollbackDetected(
            f"{what} names snapshot {new.snapshot.version}, {known.snapshot.version} is known"
        )


def check_file(data: bytes, expected: MetaFile, what: str) -> None:
    """Refuse a file of another length or with other digests than another file says (S2, G2)."""
    if expected.length is not None and len(data) != expected.length:
        raise MetadataMismatch(f"{what} has {len(data)} bytes, not {expected.length}")
    wrong = wrong_digests(expected.hashes, digests(data, KNOWN))
    if wrong:
        raise MetadataMismatch(f"{what} has another {wrong[0]} than is said of it")


def check_version(header: Header, expected: MetaFile, what: str) -> None:
    """Refuse a file of another version than another file says (S2, G2)."""
    if header.version != expected.version:
        raise MetadataMismatch(f"{what} has version {header.version}, not {expected.version}")


def check_listed_versions(new: Snapshot, known: Snapshot | None, what: str) -> None:
    """Refuse a snapshot in which a file has an older version than before (S5)."""
    for name, before in known.meta.items() if known is not None else ():
        now = new.meta.get(name) if name != _ROOT_FILE else None
        if now is not None and now.version < before.version:
            raise RollbackDetected(
                f"{what} lists version {now.version} of {name}, {before.version} is known"
            )


def check_listed_files(new: Snapshot, known: Snapshot | None, what: str) -> None:
    """Refuse a snapshot in which a file is missing that was there before (S6)."""
    for name in known.meta if known is not None else ():
        if name not in new.meta and name != _ROOT_FILE:
            raise RollbackDetected(f"{what} does not list {name} any more")


# ----------------------------------------------------------------------------- director


def check_no_delegations(targets: Targets, what: str) -> None:
    """Refuse a Director that lets others speak (G6)."""
    if targets.delegations is not None:
        raise MetadataInvalid(f"{what} has delegations, which only an Image repository may have")


def check_each_ecu_once(targets: Targets, what: str) -> None:
    """Refuse a Director that means two images for one ECU (G7)."""
    seen: dict[str, str] = {}
    for name, image in targets.images.items():
        for serial in ecus_of(image, what):
            if serial in seen:
                raise EcuMismatch(f"{what} has {seen[serial]} and {name} for the ECU {serial}")
            seen[serial] = name


def check_each_image_has_an_ecu(targets: Targets, what: str) -> None:
    """Refuse a Director that does not say for which ECU an image is (5.2.3.1.1)."""
    for name, image in targets.images.items():
        if not ecus_of(image, what):
            raise EcuMismatch(f"{what} does not say for which ECU {name} is")


def check_known_ecus(targets: Targets, ecus: Mapping[str, str], what: str) -> None:
    """Refuse a Director that speaks of ECUs that this vehicle has not (G8)."""
    for name, image in targets.images.items():
        for serial in ecus_of(image, what):
            if serial not in ecus:
                raise EcuMismatch(
                    f"{what} has {name} for the ECU {serial}, which is not of this vehicle"
                )


def check_ecu_kinds(targets: Targets, ecus: Mapping[str, str], what: str) -> None:
    """Refuse a Director that takes an ECU for one of another kind (5.4.3.4, step 3)."""
    for name, image in targets.images.items():
        for serial, hardware_id in ecus_of(image, what).items():
            if serial in ecus and hardware_id != ecus[serial]:
                raise EcuMismatch(
                    f"{what} has {name} for {serial} as a {hardware_id}, but it is a {ecus[serial]}"
                )


def check_vehicle(targets: Targets, vehicle_id: str, what: str) -> None:
    """Refuse what a Director says of another vehicle (5.2.3.1)."""
    told = vehicle_id_of(targets)
    if told and vehicle_id and told != vehicle_id:
        raise EcuMismatch(f"{what} is for the vehicle {told}, and this is {vehicle_id}")


def check_empty_names_vehicle(targets: Targets, what: str) -> None:
    """Refuse a Director that has nothing for nobody: it could be anybody's (5.2.3.1)."""
    if not targets.images and not vehicle_id_of(targets):
        raise EcuMismatch(
            f"{what} has no images, and does not say for which vehicle",
            hint="an older server does not; let the device take it for one",
        )


# ---------------------------------------------------------- director and image repository


def check_same_length(director: Image, image: Image, name: str) -> None:
    """Refuse an image of which the two say different lengths (step 10, 2.1)."""
    if director.length != image.length:
        raise TargetMismatch(
            f"{name} has {director.length} bytes for the Director, and {image.length} for the"
            " Image repository"
        )


def check_same_hashes(director: Image, image: Image, name: str) -> None:
    """Refuse an image of which the two say different digests, or none of the same kind."""
    common = director.hashes.keys() & image.hashes.keys()
    for algorithm in sorted(common):
        if director.hashes[algorithm].lower() != image.hashes[algorithm].lower():
            raise TargetMismatch(
                f"{name} has another {algorithm} for the Director than for the Image repository"
            )
    if not common & KNOWN.keys():
        raise TargetMismatch(f"no digest of {name} is told by Director and Image repository")


def check_hardware_ids(director: Image, image: Image, name: str) -> None:
    """Refuse an image that is not made for the kind of an ECU that it is meant for (2.2)."""
    made_for = hardware_ids_of(image, name)
    for serial, hardware_id in ecus_of(director, name).items():
        if hardware_id not in made_for:
            listed = ", ".join(made_for) or "nothing that is said"
            raise TargetMismatch(
                f"{name} is for the ECU {serial}, a {hardware_id}, but made for {listed}"
            )


def check_same_release_counter(director: Image, image: Image, name: str) -> None:
    """Refuse an image for which a Director makes a release counter up (2.2)."""
    told = release_counter_of(director, name)
    if told is not None and told != release_counter_of(image, name):
        raise TargetMismatch(f"the Director has another release counter of {name}")


def check_release_counter(image: Image, installed: int | None, name: str, serial: str) -> None:
    """Refuse a release older than what an ECU runs (2.3; 5.4.3.4, step 5)."""
    if installed is None:
        return
    counter = release_counter_of(image, name)
    if counter is None or counter < installed:
        told = "no release counter" if counter is None else f"release counter {counter}"
        raise RollbackDetected(f"{name} has {told}, and the ECU {serial} runs {installed}")
