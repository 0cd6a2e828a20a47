# SPDX-License-Identifier: Apache-2.0
"""Progress in the words of libostree's tool, for its output is read by scripts too.

Where the standard output is no terminal it writes a line four times a second at most, and one at
the end: ``fsck objects (128/16012) 0%``.
"""

from __future__ import annotations

import time
from typing import TextIO

from ostrya.progress import Advanced, ProgressEvent, Started

_INTERVAL_S = 0.25


class ConsoleProgress:
    """Writes how far a counted task has come."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._totals: dict[str, int] = {}
        self._last = float("-inf")

    def send(self, event: ProgressEvent) -> None:
        """Take one event."""
        if isinstance(event, Started):
            self._totals[event.task] = event.total or 0
        elif isinstance(event, Advanced):
            total = event.total or self._totals.get(event.task, 0)
            now = time.monotonic()
            if total and (event.done >= total or now - self._last >= _INTERVAL_S):
                self._last = now
                percent = event.done * 100 // total
                self._stream.write(f"{event.task} ({event.done}/{total}) {percent}%\n")
                self._stream.flush()
