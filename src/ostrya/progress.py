# SPDX-License-Identifier: Apache-2.0
"""Progress as typed events, apart from logging and from how they are shown.

A long operation takes ``progress: ProgressSink = NULL_PROGRESS`` as its last keyword and sends
``Started``, any number of ``Advanced``, and ``Finished`` for each of its tasks.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from ostrya.named_tuple import NamedTuple


class Unit(StrEnum):
    """What a task counts."""

    BYTES = "bytes"
    ITEMS = "items"


class Started(NamedTuple):
    """A task begins; ``total`` is None while it is not known."""

    task: str
    total: int | None
    unit: Unit


class Advanced(NamedTuple):
    """A task has done ``done`` of its units in all; a known ``total`` replaces the earlier one.

    One that counts items may say how many bytes these took so far, ``bytes_done``.
    """

    task: str
    done: int
    total: int | None = None
    bytes_done: int | None = None


class Finished(NamedTuple):
    """A task is over, with ``done`` units in all."""

    task: str
    done: int
    bytes_done: int | None = None


ProgressEvent = Started | Advanced | Finished


class ProgressSink(Protocol):
    """Receives progress events, on the thread that runs the operation."""

    def send(self, event: ProgressEvent) -> None:
        """Take one event."""


class _NullProgress:
    def send(self, event: ProgressEvent) -> None:
        pass


NULL_PROGRESS: ProgressSink = _NullProgress()
