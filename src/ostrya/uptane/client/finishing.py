# SPDX-License-Identifier: Apache-2.0
"""Installations that were begun before: what became of them, by looking at what is there.

This comes first in every cycle, since a device may have restarted, lost power or been killed since.
Nothing is asked of the server for it.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.uptane.client import installs
from ostrya.uptane.client.installer import Outcome, Stage
from ostrya.uptane.client.installs import State
from ostrya.uptane.metadata.fields import format_time, parse_time

if TYPE_CHECKING:
    from datetime import datetime

    from ostrya.uptane.client.installs import Install, Target
    from ostrya.uptane.client.secondaries.secondary import Secondary
    from ostrya.uptane.client.vehicle import Parts

log = logging.getLogger(__name__)

_SINCE = "waits-since:"
_AGAIN = "again:"


def finish_installs(parts: Parts, now: datetime) -> Outcome | None:
    """See to all installations that are open; return what is still waited for, None for nothing.

    Raises:
        StorageError: What became of one cannot be kept; the next cycle looks again.
    """
    waits: Outcome | None = None
    found = installs.open_installs(parts.storage)
    is_open = any(one.target.serial == parts.identity.serial for one in found)
    if not is_open and parts.restart.is_expected():
        # Killed after the end of one was kept, and before the restart was forgotten.
        parts.restart.forget()
    for one in found:
        outcome = _look(parts, one, now)
        if keep_outcome(parts, one.target, outcome, now):
            continue
        if outcome.stage is Stage.LOST and one.state is State.STARTED:
            # The cycle goes on with it, if it is still wanted.
            continue
        waits = waits or outcome
    return waits


def keep_outcome(parts: Parts, target: Target, outcome: Outcome, now: datetime) -> bool:
    """Keep what became of an installation; say whether that is its end."""
    is_primary = target.serial == parts.identity.serial
    if outcome.stage in (Stage.APPLIED, Stage.WAITING, Stage.TRIAL):
        installs.mark_applied(parts.storage, target.serial, now)
        return False
    if outcome.stage is not Stage.DONE or outcome.result is None:
        return False
    if is_primary and outcome.result.success:
        parts.restart.tell_good()
    installs.finish_install(parts.storage, target.serial, outcome.result, now)
    log.info(
        "installation ended serial=%s image=%s code=%s",
        target.serial, target.name, outcome.result.code,
    )  # fmt: skip
    if is_primary:
        parts.restart.forget()
    forget_wait(parts, target.serial)
    return True


def _look(parts: Parts, install: Install, now: datetime) -> Outcome:
    target = install.target
    if target.serial == parts.identity.serial:
        outcome = parts.installer.finish(target, restarted=parts.restart.happened())
        if outcome.stage is Stage.LOST and install.state is State.APPLIED:
            return _again(parts, install, outcome)
        return outcome
    ecu = parts.secondary(target.serial)
    if ecu is None:
        return Outcome.failed(f"{target.serial} is no ECU of this vehicle any more")
    try:
        outcome = ecu.finish(target)
    except OstryaError as exc:
        outcome = Outcome(Stage.WAITING, words=exc.message)
    if outcome.stage is Stage.DONE or install.state is State.STARTED:
        return outcome
    return _bounded(parts, ecu, outcome, now)


def _bounded(parts: Parts, ecu: Secondary, outcome: Outcome, now: datetime) -> Outcome:
    """Wait for an ECU, but not for ever."""
    if is_overdue(parts, ecu.serial, now):
        return Outcome.failed(
            f"{ecu.serial} did not come up with it in {parts.rules.secondary_wait_s} s:"
            f" {outcome.words or 'it runs something else'}"
        )
    return outcome._replace(stage=Stage.WAITING)


def _again(parts: Parts, install: Install, lost: Outcome) -> Outcome:
    """Apply once more what was lost before it became the default; not for ever."""
    name = f"{_AGAIN}{install.number}"
    count = int(parts.storage.fact(name) or b"0") + 1
    if count > parts.rules.install_attempts:
        parts.storage.forget_fact(name)
        return Outcome.failed(f"it was lost {count} times: {lost.words}")
    parts.storage.set_fact(name, str(count).encode())
    parts.restart.expect()
    return parts.installer.install(install.target, parts.around.watch)


# ----------------------------------------------------------------- ECUs that are waited for


def is_overdue(parts: Parts, serial: str, now: datetime) -> bool:
    """Say whether an ECU was waited for long enough, beginning with the first time it is asked."""
    name = _SINCE + serial
    value = parts.storage.fact(name)
    if value is None:
        parts.storage.set_fact(name, format_time(now).encode())
        return parts.rules.secondary_wait_s <= 0
    since = parse_time(value.decode("ascii", "replace"), "the time since when an ECU is waited for")
    return now >= since + timedelta(seconds=parts.rules.secondary_wait_s)


def forget_wait(parts: Parts, serial: str) -> None:
    """Note that an ECU is not waited for any more."""
    if parts.storage.fact(_SINCE + serial) is not None:
        parts.storage.forget_fact(_SINCE + serial)
