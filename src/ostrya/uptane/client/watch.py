# SPDX-License-Identifier: Apache-2.0
"""What a long step looks at while it works: whether it is to end or to wait, and whom to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ostrya.named_tuple import NamedTuple
from ostrya.progress import Advanced, Started

if TYPE_CHECKING:
    from ostrya.progress import ProgressEvent


class Progress(NamedTuple):
    """How far a step has come.

    Attributes:
        step: ``download``, ``send`` or ``install``.
        image: Its name.
        done: How many of its units.
        total: Of how many; None while that is not known.
        unit: ``bytes`` or ``items``.
    """

    step: str
    image: str
    done: int
    total: int | None
    unit: str = "bytes"

    @property
    def percent(self) -> int | None:
        """The same in hundredths; None while the whole is not known."""
        return None if not self.total else min(100, self.done * 100 // self.total)


class Watch(Protocol):
    """Looks after a step."""

    def look(self) -> None:
        """Return when the step may go on.

        Raises:
            UpdateCancelled: It is to end.
        """

    def tell(self, progress: Progress) -> None:
        """Take note of how far it has come."""


class _NoWatch:
    def look(self) -> None:
        pass

    def tell(self, progress: Progress) -> None:
        pass


NO_WATCH: Watch = _NoWatch()


class WatchedProgress:
    """A ``ProgressSink`` for steps that know nothing of a ``Watch``, such as a pull."""

    def __init__(self, watch: Watch, step: str, image: str) -> None:
        self._watch = watch
        self._step = step
        self._image = image
        self._totals: dict[str, tuple[int | None, str]] = {}

    def send(self, event: ProgressEvent) -> None:
        """Take one event.

        Raises:
            UpdateCancelled: The step is to end.
        """
        self._watch.look()
        if isinstance(event, Started):
            self._totals[event.task] = event.total, event.unit.value
        elif isinstance(event, Advanced):
            total, unit = self._totals.get(event.task, (None, "items"))
            total = total if event.total is None else event.total
            self._watch.tell(Progress(self._step, self._image, event.done, total, unit))
