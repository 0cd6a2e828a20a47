# SPDX-License-Identifier: Apache-2.0
"""Progress as plain lines, for logs: when a task begins, now and then, and when it is over."""

from __future__ import annotations

import time
from typing import TextIO

from ostrya.cli.progress_rate import Rate, format_left
from ostrya.progress import Advanced, Finished, ProgressEvent, Started, Unit
from ostrya.repo.free_space import format_size

INTERVAL_S = 1.0


class PlainProgress:
    """Writes the beginning and the end of every task, and how far it is in between."""

    def __init__(
        self, stream: TextIO, *, interval_s: float = INTERVAL_S, quiet_s: float = 0.0
    ) -> None:
        """Begin.

        Args:
            stream: Where to.
            interval_s: How often a line is written about a task that is under way.
            quiet_s: Nothing at all is written of a task that is over sooner than that.
        """
        self._stream = stream
        self._interval_s = interval_s
        self._quiet_s = quiet_s
        self._tasks: dict[str, _Task] = {}

    def send(self, event: ProgressEvent) -> None:
        """Take one event."""
        if isinstance(event, Started):
            self._tasks[event.task] = _Task(event, time.monotonic())
            if not self._quiet_s:
                self._write(f"{event.task} ...")
            return
        task = self._tasks.get(event.task)
        if task is None:
            return
        if isinstance(event, Finished):
            del self._tasks[event.task]
            if task.shown or not self._quiet_s:
                self._write(f"{event.task}: done ({task.amounts(event.done, event.bytes_done)})")
            return
        now = time.monotonic()
        since, wait_s = (task.shown, self._interval_s) if task.shown else (task.began, self._wait_s)
        if now - since >= wait_s:
            task.shown = now
            self._write(f"{event.task}: {task.describe(event, now)}")

    @property
    def _wait_s(self) -> float:
        return max(self._quiet_s, self._interval_s)

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class _Task:
    """What is known of a task; ``shown`` is when a line was last written about it."""

    __slots__ = ("_rate", "_total", "_unit", "began", "shown")

    def __init__(self, event: Started, now: float) -> None:
        self._total = event.total
        self._unit = event.unit
        self._rate = Rate(now)
        self.began = now
        self.shown = 0.0

    def amounts(self, done: int, bytes_done: int | None) -> str:
        words = [self._format(done)]
        if bytes_done is not None:
            words.append(format_size(bytes_done))
        return ", ".join(words)

    def describe(self, event: Advanced, now: float) -> str:
        self._total = event.total or self._total
        words = [self._format(event.done)]
        if self._total:
            words = [f"{self._format(event.done)}/{self._format(self._total)}"]
        moved = event.done if self._unit is Unit.BYTES else event.bytes_done
        if moved is not None:
            self._rate.note(now, moved)
            if self._unit is not Unit.BYTES:
                words.append(format_size(moved))
            words.append(f"{format_size(self._rate.per_second)}/s")
        left = format_left(now - self.began, event.done, self._total or 0)
        if left:
            words.append(f"{left} left")
        return ", ".join(words)

    def _format(self, done: int) -> str:
        return format_size(done) if self._unit is Unit.BYTES else str(done)
