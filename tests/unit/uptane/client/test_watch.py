# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.progress import Advanced, Finished, Started, Unit
from ostrya.uptane.client.errors import UpdateCancelled
from ostrya.uptane.client.watch import NO_WATCH, Progress, WatchedProgress


class Watch:
    def __init__(self) -> None:
        self.told: list[Progress] = []
        self.is_off = False

    def look(self) -> None:
        if self.is_off:
            raise UpdateCancelled("off")

    def tell(self, progress: Progress) -> None:
        self.told.append(progress)


def test_progress_of_a_pull_is_told_and_stops_it():
    watch = Watch()
    sink = WatchedProgress(watch, "download", "os")
    sink.send(Started("objects", 10, Unit.ITEMS))
    sink.send(Advanced("objects", 5))
    sink.send(Advanced("objects", 6, total=20))
    sink.send(Finished("objects", 20))
    assert watch.told == [
        Progress("download", "os", 5, 10, "items"),
        Progress("download", "os", 6, 20, "items"),
    ]
    watch.is_off = True
    with pytest.raises(UpdateCancelled):
        sink.send(Advanced("objects", 7))


def test_hundredths():
    assert Progress("install", "x", 1, 3).percent == 33
    assert Progress("install", "x", 9, 3).percent == 100
    assert Progress("install", "x", 1, None).percent is None
    NO_WATCH.look()
    NO_WATCH.tell(Progress("install", "x", 1, 3))
