# SPDX-License-Identifier: Apache-2.0
"""Everything of an update that can fail before anything is installed: metadata and images, for all.

Either every ECU of an update has what it needs, or none begins: half an update is an attack too.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ostrya.errors import FormatError, IntegrityError, OstryaError
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client import installs
from ostrya.uptane.client.errors import ImageUnsuitable, SecondaryRefused, SecondaryUnreachable
from ostrya.uptane.client.event_queue import Event, queue_event
from ostrya.uptane.client.finishing import forget_wait, is_overdue
from ostrya.uptane.client.installer import plain_words
from ostrya.uptane.client.installs import Result
from ostrya.uptane.client.secondaries.bundle import load_bundle
from ostrya.uptane.client.vehicle_manifest import note_attack
from ostrya.uptane.client.verifying import device_time
from ostrya.uptane.errors import AnswerTooLarge, ImageRejected, ServerRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ostrya.uptane.client.installer import ImageSource
    from ostrya.uptane.client.vehicle import Parts
    from ostrya.uptane.client.work import Job
    from ostrya.uptane.full_verification import Agreed

log = logging.getLogger(__name__)

_FINAL = (
    ImageRejected,
    ImageUnsuitable,
    AnswerTooLarge,
    SecondaryRefused,
    IntegrityError,
    FormatError,
)
"""Trying the same again gives the same; anything else may heal by itself."""
_MAY_HEAL = (408, 425, 429)


class Failure(NamedTuple):
    """What an update fails by.

    Attributes:
        job: The part of it that fails.
        result: How.
        error: Why.
    """

    job: Job
    result: Result
    error: OstryaError


class _Opener:
    """Opens images that were downloaded, for other ECUs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def open_image(self, image: Agreed) -> int:
        return self._parts.files.open_file(image.hashes)


def prepare(
    parts: Parts, jobs: Sequence[Job], source: ImageSource, now: datetime
) -> Failure | None:
    """Let every ECU have what it needs; return what is in the way for good, None for nothing.

    Raises:
        ServerError: Something could not be had now.
        SecondaryUnreachable: An ECU does not answer, and is still waited for.
        NoRoom: A disk is full.
        UpdateCancelled: Somebody wants it to end.
    """
    steps: tuple[Callable[[Job], None], ...] = (
        lambda job: _refuse(parts, job),
        lambda job: _download(parts, job, source, now),
        lambda job: _hand_metadata(parts, job),
        lambda job: _send_image(parts, job, source),
    )
    failure = _each(parts, jobs, steps, now)
    if failure is not None:
        return failure
    for job in jobs:
        forget_wait(parts, job.target.serial)
    return None


def download_all(
    parts: Parts, jobs: Sequence[Job], source: ImageSource, now: datetime
) -> Failure | None:
    """Download what an update needs, and no more; see `prepare`."""
    steps: tuple[Callable[[Job], None], ...] = (
        lambda job: _refuse(parts, job),
        lambda job: _download(parts, job, source, now),
    )
    return _each(parts, jobs, steps, now)


def _each(
    parts: Parts, jobs: Sequence[Job], steps: Sequence[Callable[[Job], None]], now: datetime
) -> Failure | None:
    """Take each step for all ECUs before the next one; stop at what fails for good."""
    for step in steps:
        for job in jobs:
            try:
                step(job)
            except OstryaError as exc:
                if not _is_final(parts, job, exc, now):
                    raise
                return _failure(parts, job, exc)
    return None


def keep_failure(parts: Parts, jobs: Sequence[Job], failure: Failure, now: datetime) -> None:
    """Keep that an update came to nothing: of the ECU that it failed by, and of the others."""
    _end(parts, failure.job, failure.result, now)
    cancel_rest(parts, [job for job in jobs if job is not failure.job], failure.job, now)


def cancel_rest(parts: Parts, jobs: Sequence[Job], failed: Job, now: datetime) -> None:
    """Keep that parts of an update are not begun, since another one failed."""
    words = f"not begun: the same update failed by {failed.target.serial}"
    for job in jobs:
        result = Result(success=False, code="OPERATION_CANCELLED", description=words)
        _end(parts, job, result, now)


def _end(parts: Parts, job: Job, result: Result, now: datetime) -> None:
    if installs.open_install(parts.storage, job.target.serial) is not None:
        installs.finish_install(parts.storage, job.target.serial, result, now)
    else:
        installs.note_failure(parts.storage, job.target, result, now)


def is_here(parts: Parts, job: Job) -> bool:
    """Say whether the image of a job is downloaded, or need not be."""
    if job.target.serial == parts.identity.serial:
        return parts.installer.has(job.image)
    return job.image.is_ostree or parts.files.has(job.image.hashes)


def _refuse(parts: Parts, job: Job) -> None:
    if job.target.serial == parts.identity.serial:
        parts.installer.refuse(job.image)
    elif parts.secondary(job.target.serial) is None:
        raise ImageUnsuitable(f"{job.target.serial} is no ECU of this vehicle")


def _download(parts: Parts, job: Job, source: ImageSource, now: datetime) -> None:
    if is_here(parts, job):
        return
    target = job.target
    started = Event("EcuDownloadStarted", now, target.serial, target.correlation_id)
    queue_event(parts.storage, started)
    parts.around.tell_phase("downloading")
    if target.serial == parts.identity.serial:
        parts.installer.download(job.image, source, parts.around.watch)
    else:
        parts.files.download(job.image, source, parts.around.watch)
    ended = started._replace(kind="EcuDownloadCompleted", at=device_time(parts), success=True)
    queue_event(parts.storage, ended)


def _hand_metadata(parts: Parts, job: Job) -> None:
    ecu = parts.secondary(job.target.serial)
    if ecu is not None:
        ecu.put_metadata(load_bundle(parts.storage))


def _send_image(parts: Parts, job: Job, source: ImageSource) -> None:
    ecu = parts.secondary(job.target.serial)
    if ecu is not None:
        ecu.send_image(job.image, _Opener(parts), source, parts.around.watch)


def _is_final(parts: Parts, job: Job, error: OstryaError, now: datetime) -> bool:
    """Say whether an error stays what it is, however often it is tried."""
    if isinstance(error, SecondaryUnreachable):
        if not is_overdue(parts, job.target.serial, now):
            return False
        forget_wait(parts, job.target.serial)
        return True
    if isinstance(error, ServerRefused):
        return 400 <= error.status < 500 and error.status not in _MAY_HEAL
    return isinstance(error, _FINAL)


def _failure(parts: Parts, job: Job, error: OstryaError) -> Failure:
    attack = getattr(error, "attack", "")
    if isinstance(error, (IntegrityError, FormatError)):
        # An object of a commit that is not what it is called.
        attack = ImageRejected.attack
    if attack:
        note_attack(parts.storage, job.target.serial, attack)
    if isinstance(error, SecondaryRefused):
        code = error.code
    elif isinstance(error, (ImageRejected, ImageUnsuitable, IntegrityError, FormatError)):
        code = "VERIFICATION_FAILED"
    else:
        code = "DOWNLOAD_FAILED"
    log.warning("an update cannot be had serial=%s reason=%s", job.target.serial, error.message)
    words = plain_words(error.message)
    return Failure(job, Result(success=False, code=code, description=words), error)
