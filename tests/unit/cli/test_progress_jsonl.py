# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json

from ostrya.cli.progress_jsonl import JsonLinesProgress
from ostrya.progress import Advanced, Finished, Started, Unit


def test_one_object_for_each_event(schema):
    stream = io.StringIO()
    progress = JsonLinesProgress(stream)
    progress.send(Started("wörk", None, Unit.BYTES))
    progress.send(Advanced("wörk", 1))
    progress.send(Advanced("wörk", 2, 4))
    progress.send(Advanced("wörk", 3, bytes_done=100))
    progress.send(Finished("wörk", 4, 120))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    for line in lines:
        schema(line, "progress")
    assert lines == [
        {"event": "started", "task": "wörk", "total": None, "unit": "bytes"},
        {"event": "advanced", "task": "wörk", "done": 1},
        {"event": "advanced", "task": "wörk", "done": 2, "total": 4},
        {"event": "advanced", "task": "wörk", "done": 3, "bytes": 100},
        {"event": "finished", "task": "wörk", "done": 4, "bytes": 120},
    ]


def test_once_in_a_while():
    stream = io.StringIO()
    progress = JsonLinesProgress(stream, interval_s=60.0)
    progress.send(Started("work", None, Unit.ITEMS))
    for done in range(5):
        progress.send(Advanced("work", done))
    progress.send(Finished("work", 5))
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events == ["started", "advanced", "finished"]


def test_a_verb(run, sample, schema):
    found = run.ok(sample.option, "fsck", "--progress=json").err.splitlines()
    events = [json.loads(line) for line in found]
    for event in events:
        schema(event, "progress")
    assert events[0]["event"] == "started"
    assert events[-1] == {"event": "finished", "task": "fsck objects", "done": 12}
