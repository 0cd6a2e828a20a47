# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import threading

import pytest

from ostrya.uptane.client.control.board import Board
from ostrya.uptane.client.control.protocol import Word
from ostrya.uptane.client.control.socket_server import SocketServer


@pytest.fixture
def board():
    return Board()


@pytest.fixture
def socket(tmp_path, board):
    path = str(tmp_path / "c.sock")
    with SocketServer(path, board):
        yield f"--socket={path}"


def lines(outcome, schema):
    found = [json.loads(line) for line in outcome.lines]
    for one in found:
        schema(one, "ota-control")
    return found


def test_status(run, socket, schema):
    (found,) = lines(run.ok("ota", "control", "status", socket), schema)
    assert found["phase"] == "starting"
    for word, said in (("pause", True), ("resume", False)):
        assert lines(run.ok("ota", "control", word, socket), schema) == [{"paused": said}]


@pytest.mark.parametrize(("end", "status"), [("up-to-date", 0), ("failed", 1)])
def test_what_takes_a_while_is_waited_for(run, socket, board, schema, end, status):
    def work():
        task = board.next_task(30)
        board.begin()
        board.tell_phase("checking")
        board.end(task.ticket, {"end": end, "message": ""})

    thread = threading.Thread(target=work)
    thread.start()
    done = run("ota", "control", "check", socket)
    thread.join()
    assert done.status == status
    assert [one["event"] for one in lines(done, schema)] == ["phase", "finished"]


def test_answers(run, socket, board, schema):
    run.ok("ota", "control", "postpone", "60", "--update=ab", socket)
    run.ok("ota", "control", "accept", "--no-wait", socket)
    first, second = board.next_task(0).request, board.next_task(0).request
    assert (first.word, first.answer, first.seconds, first.update) == (
        Word.CONSENT, "postpone", 60, "ab",
    )  # fmt: skip
    assert second.answer == "accept"


@pytest.mark.parametrize(
    "words", [(), ("reboot",), ("postpone",), ("postpone", "x"), ("accept", "5"), ("consent",)]
)
def test_what_there_is_not(run, socket, words):
    assert run("ota", "control", *words, socket).status == 2


def test_refusals(run, socket, tmp_path):
    assert "nothing is being done" in run.fails("ota", "control", "abort", socket, status=70)
    missing = f"--socket={tmp_path / 'x'}"
    assert "no client can be spoken to" in run.fails("ota", "control", "status", missing, status=70)
