# SPDX-License-Identifier: Apache-2.0
"""Progress bars on a terminal.

Drawing starts one second after the first task does: short runs stay quiet, and do not pay for
the import of the drawing library. It is done as events come, without a thread of its own, because
beside threads no worker process may be forked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ostrya.cli.progress_rate import Rate
from ostrya.progress import Advanced, Finished, ProgressEvent, Started, Unit

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_QUIET_S = 1.0
REFRESH_S = 0.1


class TerminalProgress:
    """Draws one bar per task on stderr, once the operation has taken a while."""

    def __init__(self, *, no_color: bool, refresh_s: float = REFRESH_S) -> None:
        self._no_color = no_color
        self._refresh_s = refresh_s
        self._rates: dict[str, Rate] = {}
        self._began = time.monotonic()
        self._running: dict[str, Started] = {}
        self._bars: dict[str, TaskID] = {}
        self._screen: Progress | None = None
        self._drawn = 0.0

    def send(self, event: ProgressEvent) -> None:
        """Take one event."""
        if isinstance(event, Started):
            self._running[event.task] = event
            self._rates[event.task] = Rate(time.monotonic())
        elif isinstance(event, Advanced):
            now = time.monotonic()
            if now - self._began >= _QUIET_S and now - self._drawn >= self._refresh_s:
                self._drawn = now
                self._draw(event, now)
        elif isinstance(event, Finished):
            self._finish(event)

    def _draw(self, event: Advanced, now: float) -> None:
        started = self._running.get(event.task)
        if started is None:
            return
        if self._screen is None:
            self._screen = _make_screen(no_color=self._no_color)
            self._screen.start()
        if event.task not in self._bars:
            self._bars[event.task] = self._screen.add_task(
                event.task, total=started.total, unit=started.unit
            )
        rate = self._rates[event.task]
        rate.note(now, event.bytes_done or 0)
        self._screen.update(
            self._bars[event.task],
            completed=event.done,
            total=event.total,
            bytes_done=event.bytes_done,
            per_second=rate.per_second,
        )
        self._screen.refresh()

    def _finish(self, event: Finished) -> None:
        self._running.pop(event.task, None)
        bar = self._bars.pop(event.task, None)
        if self._screen is not None and bar is not None:
            self._screen.update(bar, completed=event.done, total=event.done)
        if not self._running and self._screen is not None:
            self._screen.stop()
            self._screen = None


def _make_screen(*, no_color: bool) -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    from ostrya.repo.free_space import format_size

    class AmountColumn(ProgressColumn):
        def render(self, task: object) -> Text:
            done = int(getattr(task, "completed", 0))
            total = getattr(task, "total", None)
            fields = getattr(task, "fields", {})
            unit = fields.get("unit")
            shown = [done] if total is None else [done, int(total)]
            texts = [format_size(n) if unit is Unit.BYTES else str(n) for n in shown]
            words = ["/".join(texts)]
            if fields.get("bytes_done") is not None:
                words.append(format_size(fields["bytes_done"]))
                words.append(f"{format_size(fields['per_second'])}/s")
            return Text("  ".join(words))

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        AmountColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, no_color=no_color),
        auto_refresh=False,
        transient=True,
    )
