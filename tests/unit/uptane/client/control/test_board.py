# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

from ostrya.uptane.client.control.board import MAX_TASKS, Board
from ostrya.uptane.client.control.protocol import Request, Word
from ostrya.uptane.client.errors import ControlRefused, UpdateCancelled
from ostrya.uptane.client.watch import Progress


@pytest.fixture
def board():
    board = Board()
    board.told = []
    board.listener = board.told.append
    return board


def test_tasks_come_in_order_and_not_without_end(board):
    for number in range(MAX_TASKS):
        assert board.ask(Request(Word.CHECK)) == {"ticket": number + 1}
    with pytest.raises(ControlRefused, match="waiting already"):
        board.ask(Request(Word.CHECK))
    assert [board.next_task(0).ticket for _ in range(MAX_TASKS)] == list(range(1, MAX_TASKS + 1))
    assert board.next_task(0) is None


def test_only_what_is_being_done_can_be_ended(board):
    with pytest.raises(ControlRefused, match="nothing is being done"):
        board.ask(Request(Word.ABORT))
    board.begin()
    assert board.ask(Request(Word.ABORT)) == {"aborting": True}
    with pytest.raises(UpdateCancelled):
        board.look()
    board.look()
    # An end that came too late does not end the next thing.
    board.ask(Request(Word.ABORT))
    board.end(None, {})
    board.begin()
    board.look()


def test_a_pause_holds_the_work(board):
    kinds, done = [], threading.Event()
    board.on_pause = kinds.append
    board.ask(Request(Word.PAUSE))
    assert board.status()["paused"] is True

    def work():
        board.look()
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert not done.wait(0.05)
    board.ask(Request(Word.RESUME))
    assert done.wait(10)
    thread.join()
    assert kinds == ["DevicePaused", "DeviceResumed"]


def test_a_pause_can_be_ended(board):
    board.begin()
    board.ask(Request(Word.PAUSE))
    board.ask(Request(Word.ABORT))
    with pytest.raises(UpdateCancelled):
        board.look()


def test_what_is_told(board):
    board.tell_phase("checking")
    board.tell_phase("checking")
    for done in (0, 1, 2, 500):
        board.tell(Progress("download", "x", done, 1000))
    board.tell_status(message="a")
    board.tell_status(message="a")
    board.end(4, {"end": "up-to-date"})
    assert [one["event"] for one in board.told] == [
        "phase", "progress", "progress", "status", "finished",
    ]  # fmt: skip
    assert board.told[2]["percent"] == 50
    assert board.told[-1] == {"event": "finished", "ticket": 4, "end": "up-to-date"}
    assert board.status() == {
        "phase": "checking", "progress": None, "update": None, "message": "a", "paused": False,
        "busy": False,
    }  # fmt: skip
    assert board.ask(Request(Word.UPDATE)) == {"ticket": 1}
    with pytest.raises(ControlRefused, match="no task"):
        board.ask(Request(Word.STATUS))
