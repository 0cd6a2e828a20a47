# SPDX-License-Identifier: Apache-2.0
"""Progress as JSON lines: one object per event, schema in ``docs/reference/json/progress.json``."""

from __future__ import annotations

import time
from typing import TextIO

from ostrya.cli.output import format_json
from ostrya.progress import Advanced, ProgressEvent, Started


class JsonLinesProgress:
    """Writes every event as it comes, or how far a task is once in a while only."""

    def __init__(self, stream: TextIO, *, interval_s: float = 0.0) -> None:
        self._stream = stream
        self._interval_s = interval_s
        self._shown = float("-inf")

    def send(self, event: ProgressEvent) -> None:
        """Write one event."""
        if isinstance(event, Advanced) and self._interval_s:
            now = time.monotonic()
            if now - self._shown < self._interval_s:
                return
            self._shown = now
        value: dict[str, object] = {"event": type(event).__name__.lower(), "task": event.task}
        if isinstance(event, Started):
            value |= {"total": event.total, "unit": event.unit.value}
        else:
            value["done"] = event.done
            if event.bytes_done is not None:
                value["bytes"] = event.bytes_done
            if isinstance(event, Advanced) and event.total is not None:
                value["total"] = event.total
        self._stream.write(format_json(value, self._stream, indent=None) + "\n")
        self._stream.flush()
