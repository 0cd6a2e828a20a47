# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import contextmanager

import pytest

from ostrya.uptane.client import runner
from ostrya.uptane.client.attempts import Pace
from ostrya.uptane.client.control.board import Board
from ostrya.uptane.client.control.protocol import Request, Word
from ostrya.uptane.client.errors import UpdateCancelled
from ostrya.uptane.client.primary import CycleResult, End, Mode
from ostrya.uptane.client.runner import Running, run_forever, run_once, run_task
from ostrya.uptane.client.vehicle import Rules
from ostrya.uptane.errors import ServerUnreachable
from support.ota_world import SERIAL, make_device, offer


@contextmanager
def running(device, **more):
    board = Board()
    board.told = []
    board.listener = board.told.append
    device.watch = board
    with device.primary() as primary:
        values = {"pace": Pace(10, 100), "medium": None, "is_online": True, "chance": lambda: 0.5}
        yield Running(primary, primary._parts, board, **{**values, **more})


def ask(running, word, *answer):
    running.board.ask(Request(word, None, *answer))
    return run_task(running, running.board.next_task(0))


def test_one_cycle_is_seen_on_the_board(tmp_path):
    with running(make_device(tmp_path)) as found:
        assert run_once(found, Mode.ONCE).end is End.INSTALLED
        status = found.board.status()
    assert (status["phase"], status["busy"]) == ("installed", False)
    assert status["update"]["images"] == [
        {"ecu": SERIAL, "image": "firmware", "size": 4500, "version": ""}
    ]
    percents = [one["percent"] for one in found.board.told if one["event"] == "progress"]
    assert percents == [22, 44, 66, 88, 100]


def test_consent_by_the_socket(tmp_path):
    device = make_device(tmp_path, needs_consent=True)
    with running(device) as found:
        assert ask(found, Word.CONSENT, "accept").words == "no update is there to be answered"
        assert run_once(found, Mode.FULL).end is End.CONSENT
        update = found.board.status()["update"]["id"]
        assert "is now" not in ask(found, Word.CONSENT, "postpone", update, 60).words
        assert run_once(found, Mode.FULL).words == "somebody wants to be asked later"
        assert ask(found, Word.CONSENT, "accept", "other").end is End.FAILED
        assert ask(found, Word.CONSENT, "accept", update).end is End.INSTALLED
    kinds = device.server.kinds()
    assert kinds[:2] == ["UpdatePostponed", "UpdateAccepted"]


def test_what_is_declined_is_told_to_the_director(tmp_path):
    device = make_device(tmp_path, needs_consent=True)
    with running(device) as found:
        run_once(found, Mode.FULL)
        assert ask(found, Word.CONSENT, "decline").end is End.DECLINED
        assert run_once(found, Mode.FULL).end is End.DECLINED
    assert device.server.results() == [(SERIAL, "OPERATION_CANCELLED")]


@pytest.mark.parametrize("at", ["download", "install"])
def test_what_was_ended_is_left_alone_until_somebody_wants_it(tmp_path, at):
    device = make_device(tmp_path)
    with running(device) as found:
        if at == "download":
            device.server.hook = lambda when, _: (
                found.board.ask(Request(Word.ABORT)) if when == "chunk" else None
            )
        else:

            def off(*_):
                raise UpdateCancelled("somebody ended it")

            found.parts.installer.install = off
        assert run_once(found, Mode.FULL).end is End.CANCELLED
        device.server.hook = lambda *_: None
        found.parts.installer.__dict__.pop("install", None)
        assert run_once(found, Mode.FULL).end is End.DECLINED
        assert ask(found, Word.CONSENT, "accept").end is End.INSTALLED
    assert [code for _, code in device.server.results()] == ["OPERATION_CANCELLED", "OK"]


@pytest.mark.parametrize(
    ("word", "end"),
    [(Word.CHECK, End.AVAILABLE), (Word.DOWNLOAD, End.DOWNLOADED), (Word.UPDATE, End.INSTALLED)],
)
def test_tasks(tmp_path, word, end):
    with running(make_device(tmp_path)) as found:
        assert ask(found, word).end is end
        assert found.board.told[-1]["ticket"] == 1
        assert found.board.told[-1]["end"] == end.value


class Stop(Exception):
    pass


def pauses(found, monkeypatch, most):
    """How long the client waits after each cycle."""
    told = []

    def next_task(seconds):
        told.append(seconds)
        if len(told) == most:
            raise Stop

    monkeypatch.setattr(found.board, "next_task", next_task)
    with pytest.raises(Stop):
        run_forever(found)
    return told


def test_failures_in_a_row_double_the_pause(tmp_path, monkeypatch):
    device = make_device(tmp_path)
    answers = iter([True, True])

    def hook(when, what):
        if (when, what) == ("before", "manifest") and next(answers, False):
            raise ServerUnreachable("u", "no")

    device.server.hook = hook
    with running(device) as found:
        assert pauses(found, monkeypatch, 4) == [20, 40, 10, 10]


def test_a_trial_is_looked_at_more_often(tmp_path, monkeypatch):
    with running(make_device(tmp_path)) as found:
        monkeypatch.setattr(found.primary, "cycle", lambda _mode: CycleResult(End.TRIAL))
        assert pauses(found, monkeypatch, 1) == [5]


@pytest.mark.parametrize("force", [True, False])
def test_the_device_restarts_by_itself_if_it_may(tmp_path, monkeypatch, force):
    device = make_device(tmp_path, fake_need_reboot=True, rules=Rules(force_restart=force))
    with running(device) as found:
        ran = []
        monkeypatch.setattr(found.parts.restart, "run", lambda: ran.append(1))
        run_once(found, Mode.ONCE)
        run_once(found, Mode.CHECK)
    assert ran == ([1] if force else [])


def test_a_medium_is_looked_at_when_nothing_else_is_going_on(tmp_path):
    looks = []

    class Medium:
        def look(self, primary):
            looks.append(primary)

    device = make_device(tmp_path, fake_need_reboot=True)
    with running(device, medium=Medium()) as found:
        run_once(found, Mode.ONCE)
        assert looks == []
    device.restart()
    with running(device, medium=Medium(), is_online=False) as found:
        run_once(found, Mode.ONCE)
        run_once(found, Mode.CHECK)
    assert len(looks) == 1
    assert "manifest" not in device.server.asked[-1:]


def test_images_say_their_versions(tmp_path):
    device = make_device(tmp_path)
    offer(device, "newer", b"newer")
    assert runner.shown_update(CycleResult(End.UP_TO_DATE)) is None
    with running(device) as found:
        shown = runner.shown_update(run_once(found, Mode.CHECK))
    assert (shown["correlation_id"], shown["state"]) == ("urn:update:1", "available")
