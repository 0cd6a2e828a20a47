# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io

from ostrya.cli import progress_console
from ostrya.cli.progress_console import ConsoleProgress
from ostrya.progress import Advanced, Finished, Started, Unit


def test_four_lines_a_second_and_the_last_one(monkeypatch):
    clock = iter([0.0, 0.1, 0.2, 0.3, 0.35])
    monkeypatch.setattr(progress_console.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    progress = ConsoleProgress(stream)
    progress.send(Started("work", 8, Unit.ITEMS))
    for done in (1, 2, 3, 5, 8):
        progress.send(Advanced("work", done))
    progress.send(Finished("work", 8))
    assert stream.getvalue() == "work (1/8) 12%\nwork (5/8) 62%\nwork (8/8) 100%\n"


def test_a_task_of_unknown_size_is_not_shown():
    stream = io.StringIO()
    progress = ConsoleProgress(stream)
    progress.send(Started("work", None, Unit.ITEMS))
    progress.send(Advanced("work", 3))
    assert stream.getvalue() == ""
