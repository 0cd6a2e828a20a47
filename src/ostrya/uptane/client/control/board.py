# SPDX-License-Identifier: Apache-2.0
"""What the client is doing and is asked to do: shared by its own thread and the socket's.

The client's thread works; it takes tasks from here one by one, and looks here while it works, so
that it can be stopped. The socket's thread never touches the database.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.control.protocol import Word
from ostrya.uptane.client.errors import ControlRefused, UpdateCancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.uptane.client.control.protocol import Request
    from ostrya.uptane.client.watch import Progress
    from ostrya.uptane.metadata.json_text import Json, Object

MAX_TASKS = 8
_TASKS = (Word.CHECK, Word.DOWNLOAD, Word.INSTALL, Word.UPDATE, Word.CONSENT)


class Task(NamedTuple):
    """Something that the client's thread is to do.

    Attributes:
        ticket: Its number; events that tell of it have it too.
        request: What was asked for.
    """

    ticket: int
    request: Request


class Board:
    """The state of a running client, and requests to it."""

    def __init__(self, on_pause: Callable[[str], None] = lambda _kind: None) -> None:
        """Begin idle.

        Args:
            on_pause: Told on the client's thread that it pauses, or goes on again.
        """
        self.on_pause = on_pause
        self.listener: Callable[[Object], None] = lambda _event: None
        self._changed = threading.Condition()
        self._status: Object = {"phase": "starting", "progress": None, "update": None}
        self._tasks: deque[Task] = deque()
        self._tickets = 0
        self._is_paused = False
        self._is_aborted = False
        self._is_busy = False

    # ------------------------------------------------------------- of the client's thread

    def look(self) -> None:
        """Wait while somebody wants a pause; see that nobody wants an end. See `Watch`."""
        with self._changed:
            if self._is_paused and not self._is_aborted:
                self.on_pause("DevicePaused")
                self._changed.wait_for(lambda: self._is_aborted or not self._is_paused)
                self.on_pause("DeviceResumed")
            if self._is_aborted:
                self._is_aborted = False
                raise UpdateCancelled("somebody ended it")

    def tell(self, progress: Progress) -> None:
        """Take note of how far a step has come, and tell it where that shows."""
        shown: Object = {
            "step": progress.step,
            "image": progress.image,
            "done": progress.done,
            "total": progress.total,
            "unit": progress.unit,
            "percent": progress.percent,
        }
        with self._changed:
            before = self._status.get("progress")
            self._status["progress"] = shown
        same = ("step", "image", "percent")
        is_news = not isinstance(before, dict) or any(before[one] != shown[one] for one in same)
        if is_news:
            self.listener({"event": "progress", **shown})

    def tell_phase(self, phase: str) -> None:
        """Take note of what is being done."""
        with self._changed:
            if self._status["phase"] == phase:
                return
            self._status["phase"] = phase
            self._status["progress"] = None
        self.listener({"event": "phase", "phase": phase})

    def tell_status(self, **fields: Json) -> None:
        """Take note of more, and tell it if it is news."""
        with self._changed:
            news = {key: value for key, value in fields.items() if self._status.get(key) != value}
            self._status.update(fields)
        if news:
            self.listener({"event": "status", **news})

    def begin(self) -> None:
        """Note that the thread works: from now on it can be ended."""
        with self._changed:
            self._is_busy, self._is_aborted = True, False

    def end(self, ticket: int | None, outcome: Object) -> None:
        """Note that it rests again, and what came of it."""
        with self._changed:
            self._is_busy, self._is_aborted = False, False
            self._status["progress"] = None
        self.listener({"event": "finished", "ticket": ticket, **outcome})

    def next_task(self, timeout_s: float) -> Task | None:
        """Wait for something to do; None if nothing came."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._tasks), timeout_s)
            return self._tasks.popleft() if self._tasks else None

    # ------------------------------------------------------------- of the socket's thread

    def status(self) -> Object:
        """Return what is known."""
        with self._changed:
            return {**self._status, "paused": self._is_paused, "busy": self._is_busy}

    def ask(self, request: Request) -> Object:
        """Take a request that is not about the connection it came by; return what is said to it.

        Raises:
            ControlRefused: It cannot be met now.
        """
        with self._changed:
            if request.word is Word.ABORT:
                return self._abort()
            if request.word in (Word.PAUSE, Word.RESUME):
                self._is_paused = request.word is Word.PAUSE
                self._changed.notify_all()
                return {"paused": self._is_paused}
            if request.word not in _TASKS:
                raise ControlRefused("bad-request", f"{request.word} is no task")
            if len(self._tasks) >= MAX_TASKS:
                raise ControlRefused("busy", f"{MAX_TASKS} requests are waiting already")
            self._tickets += 1
            self._tasks.append(Task(self._tickets, request))
            self._changed.notify_all()
            return {"ticket": self._tickets}

    def _abort(self) -> Object:
        if not self._is_busy:
            raise ControlRefused("idle", "nothing is being done that could be ended")
        self._is_aborted = True
        self._changed.notify_all()
        return {"aborting": True}
