# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
import threading

import pytest

from ostrya.cli import progress_tty
from ostrya.cli.progress_tty import TerminalProgress
from ostrya.progress import Advanced, Finished, Started, Unit


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress_tty, "time", clock)
    return clock


def test_short_work_draws_nothing_and_loads_nothing(clock, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    progress = TerminalProgress(no_color=True)
    progress.send(Started("work", 10, Unit.ITEMS))
    clock.now = 0.9
    progress.send(Advanced("work", 5))
    progress.send(Finished("work", 10))


def test_long_work_draws_a_bar(clock, capfd):
    threads = threading.active_count()
    progress = TerminalProgress(no_color=True)
    progress.send(Started("copying", 2000, Unit.BYTES))
    progress.send(Started("counting", None, Unit.ITEMS))
    clock.now = 1.5
    progress.send(Advanced("copying", 1500))
    clock.now = 1.7
    progress.send(Advanced("counting", 3))
    assert len(progress._screen.tasks) == 2
    # Threads of our own would keep workers from being processes.
    assert threading.active_count() == threads
    progress.send(Advanced("unknown", 3))
    progress.send(Finished("copying", 2000))
    progress.send(Finished("counting", 3))
    assert progress._screen is None
    # Not a terminal: what is drawn is the last state, on stderr alone.
    assert capfd.readouterr().out == ""


def test_amounts_in_their_units():
    from rich.progress import Progress

    screen = progress_tty._make_screen(no_color=True)
    assert isinstance(screen, Progress)
    for unit, total, expected in (
        (Unit.BYTES, 2000, "1.5\xa0kB/2.0\xa0kB"),
        (Unit.ITEMS, None, "1500"),
    ):
        screen.add_task("x", total=total, completed=1500, unit=unit)
        assert str(screen.columns[3].render(screen.tasks[-1])) == expected
    screen.update(screen.tasks[-1].id, bytes_done=2500, per_second=1000)
    shown = str(screen.columns[3].render(screen.tasks[-1])).replace("\xa0", " ")
    assert shown == "1500  2.5 kB  1.0 kB/s"


def test_bytes_beside_items(clock):
    progress = TerminalProgress(no_color=True, refresh_s=2.0)
    progress.send(Started("get", None, Unit.ITEMS))
    clock.now = 2.0
    progress.send(Advanced("get", 5, 10, 4000))
    clock.now = 3.0
    progress.send(Advanced("get", 6, 10, 5000))
    assert progress._screen.tasks[0].completed == 5
    assert progress._screen.tasks[0].fields["per_second"] == 2000
    progress.send(Finished("get", 10))
