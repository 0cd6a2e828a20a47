# SPDX-License-Identifier: Apache-2.0
"""What there is to do for what both repositories agree on. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.attempts import is_given_up
from ostrya.uptane.client.installs import State, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ostrya.uptane.client.installs import Install
    from ostrya.uptane.full_verification import Agreed, Installed, Verified


class Job(NamedTuple):
    """An image for an ECU.

    Attributes:
        image: What both repositories say of it.
        target: The same, for the ECU.
    """

    image: Agreed
    target: Target


class Work(NamedTuple):
    """What there is to do.

    Attributes:
        jobs: Images that an ECU shall run and does not.
        given_up: Those of them that failed too often in this update, and are left alone.
    """

    jobs: tuple[Job, ...] = ()
    given_up: tuple[Job, ...] = ()


def plan_work(
    verified: Verified,
    installed: Mapping[str, Installed],
    logs: Mapping[str, Sequence[Install]],
    attempts: int,
) -> Work:
    """Say what there is to do.

    An update is one thing: while one ECU's part of it is given up, nothing else of it is begun.

    Args:
        verified: What both repositories agree on.
        installed: What each ECU runs.
        logs: What was installed on each so far.
        attempts: How often an image is tried.
    """
    jobs: list[Job] = []
    given_up: list[Job] = []
    for image in verified.agreed:
        for serial in image.ecus:
            if runs(installed.get(serial), image):
                continue
            job = Job(image, target_of(image, serial, verified.correlation_id))
            failed = is_given_up(logs.get(serial, ()), job.target, attempts)
            (given_up if failed else jobs).append(job)
    if given_up:
        return Work((), (*given_up, *jobs))
    return Work(tuple(jobs))


def target_of(image: Agreed, serial: str, correlation_id: str) -> Target:
    """Return what is to be installed on an ECU."""
    return Target(
        serial, image.name, image.length, image.hashes, image.release_counter, correlation_id
    )


def runs(installed: Installed | None, image: Agreed) -> bool:
    """Say whether an ECU runs an image."""
    if installed is None or installed.name != image.name:
        return False
    common = installed.hashes.keys() & image.hashes.keys()
    return bool(common) and all(
        installed.hashes[one].lower() == image.hashes[one].lower() for one in common
    )


def kept_targets(logs: Mapping[str, Sequence[Install]], most: int) -> list[Target]:
    """Return the images that stay downloaded: those being installed, and the last ones that ran."""
    found: list[Target] = []
    for log in logs.values():
        good = [one.target for one in log if one.state in (State.CURRENT, State.EARLIER)]
        busy = [one.target for one in log if one.state in (State.STARTED, State.APPLIED)]
        found += good[-most:] if most else []
        found += busy
    return found
