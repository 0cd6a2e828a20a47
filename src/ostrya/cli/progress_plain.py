# SPDX-License-Identifier: Apache-2.0
"""Progress as plain lines, for logs: one when a task begins, one when it is over."""

from __future__ import annotations

from typing import TextIO

from ostrya.progress import Finished, ProgressEvent, Started, Unit
from ostrya.repo.free_space import format_size


class PlainProgress:
    """Writes the beginning and the end of every task."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._units: dict[str, Unit] = {}

    def send(self, event: ProgressEvent) -> None:
        """Take one event."""
        if isinstance(event, Started):
            self._units[event.task] = event.unit
            self._write(f"{event.task} ...")
        elif isinstance(event, Finished):
            unit = self._units.pop(event.task, Unit.ITEMS)
            done = format_size(event.done) if unit is Unit.BYTES else str(event.done)
            self._write(f"{event.task}: done ({done})")

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
