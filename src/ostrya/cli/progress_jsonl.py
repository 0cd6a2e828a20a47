# SPDX-License-Identifier: Apache-2.0
"""Progress as JSON lines: one object per event, schema in ``docs/reference/json/progress.json``."""

from __future__ import annotations

from typing import TextIO

from ostrya.cli.output import format_json
from ostrya.progress import Advanced, ProgressEvent, Started


class JsonLinesProgress:
    """Writes every event as it comes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, event: ProgressEvent) -> None:
        """Write one event."""
        value: dict[str, object] = {"event": type(event).__name__.lower(), "task": event.task}
        if isinstance(event, Started):
            value |= {"total": event.total, "unit": event.unit.value}
        else:
            value["done"] = event.done
            if isinstance(event, Advanced) and event.total is not None:
                value["total"] = event.total
        self._stream.write(format_json(value, self._stream, indent=None) + "\n")
        self._stream.flush()
