# SPDX-License-Identifier: Apache-2.0
"""One update cycle of a Primary, from what is there to the last word to the server.

::

    finish        installations that were begun before        ─▶ a restart is waited for: no more
    tell          device data, manifest, events
    verify        what both repositories agree on             ─▶ nothing new: no more
    ask           for consent, where that is required         ─▶ not given: no more
    prepare       metadata and images, for every ECU
    install       on every ECU
    tell          results and events

Whatever is refused is kept as a trouble, told as an event, and noted as an attack where it is one;
what runs goes on running. A cycle may be killed anywhere: the next one begins at `finish`.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client import installs
from ostrya.uptane.client.client_lock import updates_allowed
from ostrya.uptane.client.clock_check import tell_of_clock
from ostrya.uptane.client.consent import Answer, update_id
from ostrya.uptane.client.errors import ClientBusy, ImageUnsuitable, UpdateCancelled
from ostrya.uptane.client.event_queue import Event, queue_event, unkept_event
from ostrya.uptane.client.finishing import finish_installs, keep_outcome
from ostrya.uptane.client.installer import Outcome, Stage, plain_words
from ostrya.uptane.client.installs import Result, State
from ostrya.uptane.client.preparing import (
    cancel_rest,
    download_all,
    is_here,
    keep_failure,
    prepare,
)
from ostrya.uptane.client.state import (
    Area,
    clear_trouble,
    load_troubles,
    note_contact,
    note_success,
    note_trouble,
)
from ostrya.uptane.client.vehicle_manifest import (
    has_news,
    installed_on_all,
    note_attack,
    send_manifests,
)
from ostrya.uptane.client.verifying import device_time, verify_online
from ostrya.uptane.client.work import Work, kept_targets, plan_work
from ostrya.uptane.errors import UptaneRefusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ostrya.uptane.client.installer import ImageSource
    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.client.vehicle import Parts
    from ostrya.uptane.client.work import Job
    from ostrya.uptane.full_verification import Verified

log = logging.getLogger(__name__)


class Mode(StrEnum):
    """What a cycle does; aktualizr's run modes."""

    FULL = "full"
    ONCE = "once"
    CHECK = "check"
    DOWNLOAD = "download"
    INSTALL = "install"


_NOTE_EVERY = timedelta(minutes=5)
_TELLS_DATA = (Mode.FULL, Mode.ONCE, Mode.CHECK)


class End(StrEnum):
    """How a cycle ended."""

    UP_TO_DATE = "up-to-date"
    AVAILABLE = "available"
    CONSENT = "awaiting-consent"
    DECLINED = "declined"
    DOWNLOADED = "downloaded"
    INSTALLED = "installed"
    RESTART = "pending-restart"
    TRIAL = "on-trial"
    WAITING = "waiting"
    GIVEN_UP = "given-up"
    HELD_BACK = "held-back"
    CANCELLED = "cancelled"
    FAILED = "failed"


class CycleResult(NamedTuple):
    """What a cycle came to.

    Attributes:
        end: How it ended.
        jobs: What it was about.
        words: What is waited for, or went wrong; may be empty.
        error: Why it failed; None where it has not.
        update: What identifies the update; empty for none.
    """

    end: End
    jobs: tuple[Job, ...] = ()
    words: str = ""
    error: OstryaError | OSError | None = None
    update: str = ""


_WAITS = {
    Stage.WAITING: End.RESTART,
    Stage.APPLIED: End.RESTART,
    Stage.TRIAL: End.TRIAL,
    Stage.LATER: End.WAITING,
}


class Primary:
    """A vehicle's Primary."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._was_tidied = False
        self._noted: dict[Callable[[Storage, datetime], None], datetime] = {}
        self.found = CycleResult(End.UP_TO_DATE)
        """What the last verification found to do."""

    def start(self) -> None:
        """Tell the boot loader that this start is a good one, unless that is still to be seen."""
        parts = self._parts
        if installs.open_install(parts.storage, parts.identity.serial) is None:
            parts.restart.tell_good()

    def cycle(self, mode: Mode) -> CycleResult:
        """Go through one cycle; whatever goes wrong is kept, told, and returned."""
        return self._guarded(lambda: self._cycle(mode))

    def cycle_of(self, verified: Verified, source: ImageSource) -> CycleResult:
        """Install what was verified otherwise, from somewhere else than the server."""
        return self._guarded(lambda: self._update(verified, source, Mode.FULL))

    def guarded_refusal(self, error: OstryaError | OSError) -> CycleResult:
        """Keep and tell that something was refused elsewhere than in a cycle of the server's."""
        self._keep_error(error)
        return CycleResult(End.FAILED, words=_words(error), error=error)

    def waits(self) -> CycleResult | None:
        """See to what was begun before; return what is still waited for, None for nothing."""
        waits = finish_installs(self._parts, self._now())
        return None if waits is None else self._waiting(waits)

    # ------------------------------------------------------------------------ the cycle

    def _now(self) -> datetime:
        return device_time(self._parts)

    def _guarded(self, cycle: Callable[[], CycleResult]) -> CycleResult:
        storage = self._parts.storage
        try:
            result = cycle()
        except UpdateCancelled as exc:
            return self.found._replace(end=End.CANCELLED, words=exc.message)
        except ClientBusy as exc:
            return CycleResult(End.HELD_BACK, words=exc.message)
        except (OstryaError, OSError) as exc:
            self._keep_error(exc)
            return CycleResult(End.FAILED, words=_words(exc), error=exc)
        clear_trouble(storage, Area.UPDATES)
        return result

    def _cycle(self, mode: Mode) -> CycleResult:
        waits = self.waits()
        tell_of_clock(self._parts)
        try:
            parts = self._parts = self._parts.around.connect(self._parts)
        except (OstryaError, OSError):
            if waits is None:
                raise
            # What is waited for does not need a server.
            return waits
        if mode in _TELLS_DATA:
            parts.around.send_device_data()
        parts.around.send_events()
        if waits is not None:
            return waits
        parts.around.tell_phase("checking")
        send_manifests(parts)
        self._note(note_contact)
        verified = verify_online(parts)
        result = self._update(verified, parts.server, mode)
        self._tell()
        self._note(note_success)
        return result

    def _note(self, note: Callable[[Storage, datetime], None]) -> None:
        """Remember that all is well, but not at every poll: that would be a write for each."""
        now = self._now()
        last = self._noted.get(note)
        if last is None or not last <= now < last + _NOTE_EVERY:
            note(self._parts.storage, now)
            self._noted[note] = now

    def _update(self, verified: Verified, source: ImageSource, mode: Mode) -> CycleResult:
        parts, now = self._parts, self._now()
        work = self._plan(verified)
        self._close_unwanted(work, now)
        self._tidy(work)
        self.found = CycleResult(End.UP_TO_DATE)
        if not work.jobs:
            end = End.GIVEN_UP if work.given_up else End.UP_TO_DATE
            return CycleResult(end, work.given_up)
        update = update_id([job.target for job in work.jobs])
        found = self.found = CycleResult(End.AVAILABLE, work.jobs, update=update)
        if mode is Mode.CHECK:
            return found
        if not parts.consent.allows(update, now):
            return self._not_allowed(found, now)
        with updates_allowed(parts.rules.update_lock_file):
            return self._run(found, source, mode)

    def _run(self, found: CycleResult, source: ImageSource, mode: Mode) -> CycleResult:
        parts, now = self._parts, self._now()
        if mode is Mode.DOWNLOAD:
            failure = download_all(parts, found.jobs, source, now)
        else:
            if mode is Mode.INSTALL:
                self._require_downloaded(found.jobs)
            failure = prepare(parts, found.jobs, source, now)
        if failure is not None:
            keep_failure(parts, found.jobs, failure, now)
            self._tell()
            raise failure.error
        if mode is Mode.DOWNLOAD:
            return found._replace(end=End.DOWNLOADED)
        return self._install(found)

    def _require_downloaded(self, jobs: tuple[Job, ...]) -> None:
        for job in jobs:
            if not is_here(self._parts, job):
                raise ImageUnsuitable(
                    f"{job.target.name} is not downloaded",
                    hint="download it first: --mode=download, or --mode=once for all of it",
                )

    def _plan(self, verified: Verified) -> Work:
        parts = self._parts
        logs = {serial: installs.install_log(parts.storage, serial) for serial in parts.ecus}
        return plan_work(verified, installed_on_all(parts), logs, parts.rules.install_attempts)

    def _close_unwanted(self, work: Work, now: datetime) -> None:
        """End what was begun and is not wanted any more."""
        wanted = {(one.target.serial, one.target.name) for one in work.jobs}
        for one in installs.open_installs(self._parts.storage):
            if one.state is State.STARTED and (one.target.serial, one.target.name) not in wanted:
                words = "it was cut short, and is not wanted any more"
                result = Result(success=False, code="OPERATION_CANCELLED", description=words)
                installs.finish_install(self._parts.storage, one.target.serial, result, now)

    def _not_allowed(self, found: CycleResult, now: datetime) -> CycleResult:
        parts = self._parts
        given = parts.consent.given(found.update)
        if given is not None and given.answer is Answer.DECLINE:
            return found._replace(end=End.DECLINED)
        is_asked = parts.consent.is_asked(found.update, now)
        return found._replace(
            end=End.CONSENT, words="" if is_asked else "somebody wants to be asked later"
        )

    # ---------------------------------------------------------------------- installing

    def _install(self, found: CycleResult) -> CycleResult:
        """Install on every ECU, the Primary last: it is the one that restarts.

        Where one fails, those after it are left as they are: half an update is enough.
        """
        parts = self._parts
        own = parts.identity.serial
        parts.around.tell_phase("installing")
        waits: Outcome | None = None
        jobs = sorted(found.jobs, key=lambda one: one.target.serial == own)
        for at, job in enumerate(jobs):
            outcome = self._install_one(job)
            if not keep_outcome(parts, job.target, outcome, self._now()):
                waits = outcome
            elif outcome.result is not None and not outcome.result.success:
                words = f"{job.target.serial}: {outcome.result.description}"
                cancel_rest(parts, jobs[at + 1 :], job, self._now())
                return found._replace(end=End.FAILED, words=words)
        if waits is not None:
            return self._waiting(waits, found)
        return found._replace(end=End.INSTALLED)

    def _install_one(self, job: Job) -> Outcome:
        parts, target = self._parts, job.target
        parts.around.watch.look()
        installs.begin_install(parts.storage, target, self._now())
        ecu = parts.secondary(target.serial)
        if ecu is not None:
            try:
                return ecu.install(target)
            except OstryaError as exc:
                return Outcome.failed(exc.message, getattr(exc, "code", "INSTALL_FAILED"))
        parts.restart.expect()
        outcome = parts.installer.install(target, parts.around.watch)
        if outcome.stage is Stage.APPLIED:
            parts.restart.tell_update()
        return outcome

    def _waiting(self, outcome: Outcome, found: CycleResult | None = None) -> CycleResult:
        begun = found or CycleResult(End.RESTART)
        return begun._replace(end=_WAITS.get(outcome.stage, End.WAITING), words=outcome.words)

    # ------------------------------------------------------------------- what is told

    def _tell(self) -> None:
        """Tell what came of it, unless a restart has still to show that."""
        parts = self._parts
        if has_news(parts.storage) and not installs.open_installs(parts.storage):
            send_manifests(parts)
        parts.around.send_events()

    def _keep_error(self, error: OstryaError | OSError) -> None:
        """Keep why a cycle failed, and tell it once."""
        parts, now = self._parts, self._now()
        log.warning("an update cycle failed error=%s", _words(error))
        attack = getattr(error, "attack", "")
        kind = "UpdateRefused" if isinstance(error, UptaneRefusal) else "UpdateFailed"
        event = Event(
            kind, now, parts.identity.serial, success=False, description=plain_words(_words(error))
        )
        try:
            known = load_troubles(parts.storage).get(Area.UPDATES)
            is_news = known is None or _gist(known.message) != _gist(_message(error))
            if attack:
                note_attack(parts.storage, parts.identity.serial, attack)
            if is_news:
                queue_event(parts.storage, event)
        except OstryaError:
            # There is no room to keep it; its server is told all the same, if it can be.
            with suppress(OstryaError):
                parts.server.send_events([unkept_event(event)])
        note_trouble(parts.storage, Area.UPDATES, error, now)
        with suppress(OstryaError):
            # The server may be the very thing that does not answer; then it is told later.
            self._tell()

    # ------------------------------------------------------------------------ tidying

    def _tidy(self, work: Work) -> None:
        """Delete images that nobody needs, once in a while."""
        parts = self._parts
        if self._was_tidied and not work.jobs:
            return
        logs = {serial: installs.install_log(parts.storage, serial) for serial in parts.ecus}
        kept = kept_targets(logs, parts.rules.keeps_images)
        kept += [job.target for job in work.jobs]
        parts.installer.keep_only(kept)
        parts.files.keep_only([one.hashes for one in kept])
        self._was_tidied = True


def _gist(message: str) -> str:
    """Return a message without its numbers: the time of day in it is no news."""
    return "".join(letter for letter in message if not letter.isdigit())


def _message(error: OstryaError | OSError) -> str:
    return error.message if isinstance(error, OstryaError) else str(error)


def _words(error: OstryaError | OSError) -> str:
    message = _message(error)
    return f"{message} ({error.hint})" if isinstance(error, OstryaError) and error.hint else message
