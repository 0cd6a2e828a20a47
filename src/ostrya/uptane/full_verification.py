# SPDX-License-Identifier: Apache-2.0
"""Full verification: what the Director wants this vehicle to run, if the Image repository agrees.

::

    Director    roots, timestamp, snapshot, Targets; then their own rules
    nothing new ends here
    Image       roots, timestamp, snapshot, Targets, and the roles that they trust
    both        each image of the Director, compared with what the Image repository says of it

Where the Director's snapshot has not changed, the Standard lets a client stop. Ours goes on while
an image is not installed: an attempt that ended between the two repositories is taken up again.

Of a Director, nothing but roots is kept before all is verified and agreed on. Its keys serve many
vehicles, and are online: whoever replays what it said to another one, or signs the highest version
that there is, must not shut this one out, and Targets that came to nothing must not take the place
of those that did.

A Director of aktualizr's kind has neither timestamp nor snapshot; `DirectorFiles` says so.

Source: Uptane Standard 2.1.0, section 5.4.4.2.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane import checks, trusted_set
from ostrya.uptane.delegation_search import Question, find_image
from ostrya.uptane.metadata.custom import (
    correlation_id_of,
    ecus_of,
    is_ostree,
    release_counter_of,
    uri_of,
)
from ostrya.uptane.metadata.dialect import Role
from ostrya.uptane.refresh import (
    fetch_targets,
    refresh_roots,
    refresh_snapshot,
    refresh_targets,
    refresh_timestamp,
    targets_of,
)
from ostrya.uptane.steps import Accepted, Repository, Wanted

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from datetime import datetime

    from ostrya.uptane.metadata.targets import Image, Targets
    from ostrya.uptane.refresh import Refreshing
    from ostrya.uptane.steps import Step
    from ostrya.uptane.trusted_set import Trusted


class DirectorFiles(Enum):
    """What a Director serves."""

    ALL = "all"
    """Root, timestamp, snapshot and Targets, as the Standard has it."""
    TARGETS_ONLY = "targets-only"
    """Root and Targets, as servers made for aktualizr do."""


class Installed(NamedTuple):
    """What an ECU runs.

    Attributes:
        name: Of the image.
        hashes: Its digests.
        release_counter: None if its release had none.
    """

    name: str
    hashes: Mapping[str, str]
    release_counter: int | None = None


class Vehicle(NamedTuple):
    """What is known of this vehicle without a server.

    Attributes:
        ecus: Kinds of hardware by serial.
        installed: What each ECU runs; ECUs of which that is not known are left out.
        vehicle_id: Empty if it has none.
        director_files: What its Director serves.
    """

    ecus: Mapping[str, str]
    installed: Mapping[str, Installed] = {}
    vehicle_id: str = ""
    director_files: DirectorFiles = DirectorFiles.ALL


class Agreed(NamedTuple):
    """An image that both repositories speak for.

    Attributes:
        name: Of the image.
        length: How many bytes; 0 for an OSTree commit.
        hashes: All digests that either told; all have to be right.
        ecus: Kinds of hardware, by serials of the ECUs that it is for.
        release_counter: None if it has none.
        is_ostree: It is a commit, whose checksum is the SHA-256.
        uri: Where it is; empty for its usual place.
        director: What the Director says.
        image: What the Image repository says.
    """

    name: str
    length: int
    hashes: Mapping[str, str]
    ecus: Mapping[str, str]
    release_counter: int | None
    is_ostree: bool
    uri: str
    director: Image
    image: Image


class Verified(NamedTuple):
    """What a verification came to.

    Attributes:
        director: What is trusted of the Director.
        image: What is trusted of the Image repository.
        agreed: All images that the Director names; empty if nothing is to be done.
        correlation_id: What the Director calls this update.
    """

    director: Trusted
    image: Trusted
    agreed: tuple[Agreed, ...]
    correlation_id: str


def verify_fully(
    director: Trusted, image: Trusted, vehicle: Vehicle, now: datetime
) -> Generator[Step, bytes | None, Verified]:
    """Verify all that the Director wants, as a Primary has to.

    Args:
        director: What is trusted of it so far.
        image: What is trusted of the Image repository so far.
        vehicle: What is known without them.
        now: What the time is, above its floor.

    Raises:
        UptaneError: Something is refused; what was yielded as accepted stays so.
    """
    director = yield from refresh_director(director, vehicle, now)
    wanted = targets_of(director)
    if not new_images(wanted, vehicle):
        yield Accepted(Repository.DIRECTOR, director)
        return Verified(director, image, (), correlation_id_of(wanted))
    image = yield from refresh_image(image, now)
    agreed: list[Agreed] = []
    for name, one in wanted.images.items():
        kinds = frozenset(ecus_of(one, name).values())
        image, found = yield from find_image(image, Question(name, kinds, now))
        agreed.append(compare(name, one, found, vehicle))
    yield Accepted(Repository.DIRECTOR, director)
    return Verified(director, image, tuple(agreed), correlation_id_of(wanted))


def refresh_director(found: Trusted, vehicle: Vehicle, now: datetime) -> Refreshing:
    """Take the newest that a Director says, if it says it of this vehicle; keep roots only."""
    found = yield from refresh_roots(Repository.DIRECTOR, found, now)
    if vehicle.director_files is DirectorFiles.ALL:
        for refresh in (refresh_timestamp, refresh_snapshot, refresh_targets):
            found = yield from _not_kept_yet(refresh(Repository.DIRECTOR, found, now))
    else:
        data = yield from fetch_targets(Repository.DIRECTOR, found)
        found = trusted_set.accept_targets(found, data, now)
    check_director(found, vehicle)
    return found


def _not_kept_yet(steps: Refreshing) -> Refreshing:
    """Go through a part of a verification, and pass on only what it wants."""
    answer: bytes | None = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            found: Trusted = end.value
            return found
        answer = (yield step) if isinstance(step, Wanted) else None


def refresh_image(found: Trusted, now: datetime) -> Refreshing:
    """Take the newest that an Image repository says."""
    found = yield from refresh_roots(Repository.IMAGE, found, now)
    found = yield from refresh_timestamp(Repository.IMAGE, found, now)
    found = yield from refresh_snapshot(Repository.IMAGE, found, now)
    return (yield from refresh_targets(Repository.IMAGE, found, now))


def check_director(found: Trusted, vehicle: Vehicle) -> None:
    """Refuse what a Director must not say.

    Raises:
        UptaneError: It says it.
    """
    targets, what = targets_of(found), found.what(Role.TARGETS.value)
    checks.check_no_delegations(targets, what)
    checks.check_each_image_has_an_ecu(targets, what)
    checks.check_each_ecu_once(targets, what)
    checks.check_known_ecus(targets, vehicle.ecus, what)
    checks.check_ecu_kinds(targets, vehicle.ecus, what)
    checks.check_vehicle(targets, vehicle.vehicle_id, what)
    if vehicle.director_files is DirectorFiles.ALL:
        checks.check_empty_names_vehicle(targets, what)


def new_images(targets: Targets, vehicle: Vehicle) -> tuple[str, ...]:
    """Return the images that an ECU does not run yet."""
    return tuple(
        name
        for name, image in targets.images.items()
        if any(
            not _runs(vehicle.installed.get(serial), name, image) for serial in ecus_of(image, name)
        )
    )


def _runs(installed: Installed | None, name: str, image: Image) -> bool:
    if installed is None or installed.name != name:
        return False
    common = installed.hashes.keys() & image.hashes.keys()
    return bool(common) and all(
        installed.hashes[one].lower() == image.hashes[one].lower() for one in common
    )


def compare(name: str, director: Image, image: Image, vehicle: Vehicle) -> Agreed:
    """Return an image if both say the same of it.

    Raises:
        TargetMismatch: They do not.
        RollbackDetected: It is older than what an ECU runs.
    """
    checks.check_same_length(director, image, name)
    checks.check_same_hashes(director, image, name)
    checks.check_hardware_ids(director, image, name)
    checks.check_same_release_counter(director, image, name)
    ecus = ecus_of(director, name)
    for serial in ecus:
        installed = vehicle.installed.get(serial)
        counter = installed.release_counter if installed else None
        checks.check_release_counter(image, counter, name, serial)
    return Agreed(
        name,
        image.length,
        {**director.hashes, **image.hashes},
        ecus,
        release_counter_of(image, name),
        is_ostree(image),
        uri_of(director) or uri_of(image),
        director,
        image,
    )
