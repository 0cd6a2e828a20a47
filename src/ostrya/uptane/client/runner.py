# SPDX-License-Identifier: Apache-2.0
"""The client while it runs: cycle after cycle, tasks of the control socket, media that are brought.

All of it happens on one thread, one thing after the other.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from ostrya.errors import CommandFailed, OstryaError
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.attempts import next_pause_s
from ostrya.uptane.client.consent import Answer
from ostrya.uptane.client.control.protocol import Word
from ostrya.uptane.client.event_queue import Event, queue_event
from ostrya.uptane.client.installs import (
    Result,
    State,
    finish_install,
    note_failure,
    open_install,
)
from ostrya.uptane.client.primary import CycleResult, End, Mode
from ostrya.uptane.client.verifying import device_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.uptane.client.attempts import Pace
    from ostrya.uptane.client.control.board import Board, Task
    from ostrya.uptane.client.primary import Primary
    from ostrya.uptane.client.vehicle import Parts
    from ostrya.uptane.metadata.json_text import Object

log = logging.getLogger(__name__)

_TRIAL_PAUSE_S = 5.0
_MODES = {
    Word.CHECK: Mode.CHECK,
    Word.DOWNLOAD: Mode.DOWNLOAD,
    Word.INSTALL: Mode.INSTALL,
    Word.UPDATE: Mode.ONCE,
    Word.CONSENT: Mode.FULL,
}


class Medium(Protocol):
    """Where updates come from without a network."""

    def look(self, primary: Primary) -> CycleResult | None:
        """Install what is there, if it is new; None for nothing."""


class Running(NamedTuple):
    """What a running client is made of.

    Attributes:
        primary: Goes through cycles.
        parts: What that works with.
        board: What programs see and ask.
        pace: How often the server is asked.
        medium: Where updates come from without a network; None for nowhere.
        is_online: Whether the server is asked at all.
        chance: Returns a number from 0 to 1, by chance.
    """

    primary: Primary
    parts: Parts
    board: Board
    pace: Pace
    medium: Medium | None
    is_online: bool
    chance: Callable[[], float]


def run_once(running: Running, mode: Mode, ticket: int | None = None) -> CycleResult:
    """Go through one cycle, and look at a medium if there is one; restart if that is wanted."""
    board = running.board
    board.begin()
    result = CycleResult(End.UP_TO_DATE)
    try:
        if running.is_online:
            result = running.primary.cycle(mode)
        brought = _look_at_medium(running, result, mode)
        result = brought or result
        if result.end is End.CANCELLED:
            _decline(running, result)
    finally:
        board.tell_phase(result.end.value)
        board.tell_status(update=shown_update(result), message=result.words)
        board.end(ticket, {"end": result.end.value, "message": result.words})
    log.info("a cycle ended how=%s message=%s", result.end, result.words)
    if result.end is End.RESTART and running.parts.rules.force_restart and mode is not Mode.CHECK:
        _restart(running)
    return result


def run_forever(running: Running) -> None:
    """Go through cycles until a signal ends it."""
    failures = 0
    while True:
        result = run_once(running, Mode.FULL)
        failures = failures + 1 if result.end is End.FAILED else 0
        _wait(running, _pause_s(running, result, failures))


def _wait(running: Running, pause_s: float) -> None:
    """Wait for the next cycle; meanwhile do what is asked for."""
    task = running.board.next_task(pause_s)
    while task is not None:
        run_task(running, task)
        task = running.board.next_task(0)


def run_task(running: Running, task: Task) -> CycleResult:
    """Do what a program asked for."""
    request = task.request
    if request.word is Word.CONSENT:
        refused = _answer(running, request.answer, request.update, request.seconds)
        if refused:
            running.board.end(task.ticket, {"end": End.FAILED.value, "message": refused})
            return CycleResult(End.FAILED, words=refused)
        if request.answer == Answer.DECLINE:
            _tell_declined(running, running.primary.found, "somebody on the device declined it")
        if request.answer != Answer.ACCEPT:
            end = End.DECLINED if request.answer == Answer.DECLINE else End.CONSENT
            running.board.end(task.ticket, {"end": end.value, "message": ""})
            return CycleResult(end)
    return run_once(running, _MODES[request.word], task.ticket)


def _answer(running: Running, answer: str, update: str, seconds: int) -> str:
    """Keep an answer; return why that cannot be."""
    asked = running.board.status().get("update")
    known = asked.get("id") if isinstance(asked, dict) else None
    if known is None:
        return "no update is there to be answered"
    if update and update != known:
        return f"the update is {known} now, not {update}"
    parts = running.parts
    now = device_time(parts)
    given = Answer(answer)
    parts.consent.give(str(known), given, now, seconds)
    kind = {Answer.ACCEPT: "UpdateAccepted", Answer.DECLINE: "UpdateDeclined"}
    event = Event(kind.get(given, "UpdatePostponed"), now, parts.identity.serial)
    queue_event(parts.storage, event)
    return ""


def _decline(running: Running, result: CycleResult) -> None:
    """Leave an update alone that somebody ended, until somebody wants it again."""
    if result.update:
        now = device_time(running.parts)
        running.parts.consent.give(result.update, Answer.DECLINE, now)
        _tell_declined(running, result, "somebody on the device ended it")


def _tell_declined(running: Running, result: CycleResult, words: str) -> None:
    """Let the Director know that an update is not going to be installed."""
    storage, now = running.parts.storage, device_time(running.parts)
    ended = Result(success=False, code="OPERATION_CANCELLED", description=words)
    for job in result.jobs:
        known = open_install(storage, job.target.serial)
        if known is None:
            note_failure(storage, job.target, ended, now)
        elif known.state is State.STARTED:
            finish_install(storage, job.target.serial, ended, now)


def _look_at_medium(running: Running, result: CycleResult, mode: Mode) -> CycleResult | None:
    busy = (End.RESTART, End.TRIAL, End.WAITING, End.CANCELLED)
    if running.medium is None or mode not in (Mode.FULL, Mode.ONCE) or result.end in busy:
        return None
    if not running.is_online:
        waits = running.primary.waits()
        if waits is not None:
            return waits
    return running.medium.look(running.primary)


def _pause_s(running: Running, result: CycleResult, failures: int) -> float:
    pause_s = next_pause_s(running.pace, failures, running.chance())
    return min(pause_s, _TRIAL_PAUSE_S) if result.end is End.TRIAL else pause_s


def _restart(running: Running) -> None:
    running.board.tell_phase("restarting")
    try:
        running.parts.restart.run()
    except (CommandFailed, OstryaError) as exc:
        log.warning("the device could not be restarted error=%s", exc.message)


def shown_update(result: CycleResult) -> Object | None:
    """Return what programs see of an update; None for none."""
    if not result.jobs:
        return None
    images: list[Object] = [
        {
            "ecu": job.target.serial,
            "image": job.target.name,
            "size": job.target.length,
            "version": _text(job.image.image.custom, "version"),
        }
        for job in result.jobs
    ]
    return {
        "id": result.update,
        "correlation_id": result.jobs[0].target.correlation_id,
        "images": list(images),
        "state": result.end.value,
    }


def _text(custom: object, key: str) -> str:
    value = custom.get(key) if isinstance(custom, dict) else None
    return value if isinstance(value, str) else ""
