# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
import threading

import pytest

from ostrya.uptane.client.control.board import Board
from ostrya.uptane.client.control.client import ControlClient
from ostrya.uptane.client.control.protocol import Request, Word
from ostrya.uptane.client.control.socket_server import SocketServer
from ostrya.uptane.client.errors import ControlRefused


def test_it_listens_until_a_task_is_over(tmp_path):
    board = Board()

    def work():
        task = board.next_task(10)
        board.begin()
        board.tell_phase("checking")
        board.end(99, {"end": "another"})
        board.end(task.ticket, {"end": "up-to-date", "message": ""})

    thread = threading.Thread(target=work)
    path = str(tmp_path / "c")
    with SocketServer(path, board), ControlClient(path) as client:
        thread.start()
        found = list(client.run(Request(Word.CHECK)))
        thread.join()
    assert [one["event"] for one in found] == ["phase", "finished", "finished"]
    assert found[-1]["end"] == "up-to-date"


def test_a_refusal_is_an_error(tmp_path):
    path = str(tmp_path / "c")
    error = pytest.raises(ControlRefused)
    with SocketServer(path, Board()), ControlClient(path) as client, error as found:
        client.ask(Request(Word.ABORT))
    assert found.value.code == "idle"


def test_no_client_runs(tmp_path):
    with pytest.raises(ControlRefused, match="no client can be spoken to") as error:
        ControlClient(str(tmp_path / "nothing"))
    assert "ostrya ota run" in error.value.hint


@pytest.mark.parametrize(("data", "code"), [(b"", "hung-up"), (b"hello\n", "no-client")])
def test_something_else_answers(tmp_path, data, code):
    path = str(tmp_path / "c")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def answer():
            connection, _ = listener.accept()
            connection.recv(100)
            connection.sendall(data)
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with ControlClient(path) as client, pytest.raises(ControlRefused) as error:
            client.ask(Request(Word.STATUS))
        thread.join()
    assert error.value.code == code
