# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from ostrya.uptane.client.control import socket_server
from ostrya.uptane.client.control.board import Board
from ostrya.uptane.client.control.client import ControlClient
from ostrya.uptane.client.control.protocol import MAX_LINE_BYTES, Request, Word
from ostrya.uptane.client.control.socket_server import Peer, SocketServer, may_speak, peer_of
from ostrya.uptane.client.errors import ControlRefused


@pytest.fixture
def board():
    return Board()


@pytest.fixture
def path(tmp_path, board):
    path = str(tmp_path / "run/control.sock")
    with SocketServer(path, board):
        yield path
    assert not os.path.exists(path)


def connect(path):
    found = socket.socket(socket.AF_UNIX)
    found.settimeout(10)
    found.connect(path)
    return found


def lines(connection, data):
    connection.sendall(data)
    with connection.makefile("rb") as file:
        return json.loads(file.readline())


def test_a_request_is_answered(path, board):
    with ControlClient(path) as client:
        assert client.ask(Request(Word.STATUS))["phase"] == "starting"
        assert client.ask(Request(Word.CHECK, 5)) == {"ticket": 1}
    assert board.next_task(0).request.word is Word.CHECK


def test_nobody_else_may_use_it(path):
    assert os.stat(path).st_mode & 0o777 == 0o600
    if os.geteuid() != 0:
        pytest.skip("needs root")
    program = f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c", program],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "PermissionError" in done.stderr


def test_the_kernel_says_who_speaks():
    a, b = socket.socketpair()
    assert peer_of(a) == Peer(os.getpid(), os.geteuid(), os.getegid())
    a.close()
    b.close()


def test_who_may_speak():
    assert may_speak(Peer(1, 0, 0), 1000, None)
    assert may_speak(Peer(1, 1000, 5), 1000, None)
    assert not may_speak(Peer(1, 1001, 5), 1000, None)
    assert may_speak(Peer(1, 1001, 5), 1000, 5)
    assert not may_speak(Peer(1, 4_000_000, 6), 1000, 5)


def test_who_may_not_is_hung_up_on(path, monkeypatch):
    monkeypatch.setattr(socket_server, "may_speak", lambda *_: False)
    with connect(path) as connection:
        assert connection.recv(10) == b""


@pytest.mark.parametrize("data", [b"garbage\n", b"\xff\x00\n", b"[]\n", b'{"request":"no"}\n'])
def test_garbage_is_refused_and_the_next_request_is_not(path, data):
    with connect(path) as connection:
        assert lines(connection, data)["error"]["code"] == "bad-request"
        assert lines(connection, b'\n{"request":"status","id":2}\n')["id"] == 2


def test_a_line_without_an_end(path):
    with connect(path) as connection:
        connection.sendall(b"x" * (MAX_LINE_BYTES + 1))
        with connection.makefile("rb") as file:
            assert json.loads(file.readline())["error"]["code"] == "too-long"
            assert file.readline() == b""


def test_a_flood_is_slowed_down(path, monkeypatch):
    monkeypatch.setattr(socket_server.time, "monotonic", lambda: 1.0)
    with connect(path) as connection:
        connection.sendall(b'{"request":"status"}\n' * 60)
        with connection.makefile("rb") as file:
            found = [json.loads(file.readline()) for _ in range(60)]
    codes = [one["error"]["code"] for one in found if not one["ok"]]
    assert codes == ["too-fast"] * 10


def test_who_does_not_read_is_hung_up_on(path, board, monkeypatch):
    monkeypatch.setattr(socket_server, "MAX_UNREAD_BYTES", 10_000)
    with connect(path) as lazy, ControlClient(path) as other:
        assert lines(lazy, b'{"request":"subscribe"}\n')["ok"]
        for number in range(2000):
            board.tell_status(message="x" * 500 + str(number))
        assert other.ask(Request(Word.STATUS))["message"].endswith("1999")


def test_too_many_connections(path):
    held = [connect(path) for _ in range(socket_server.MAX_CLIENTS)]
    for one in held:
        assert lines(one, b'{"request":"status"}\n')["ok"]
    with connect(path) as late:
        assert late.recv(10) == b""
    for one in held:
        one.close()
    with ControlClient(path) as client:
        assert client.ask(Request(Word.STATUS))


def test_only_who_subscribed_is_told(path, board):
    with connect(path) as quiet, connect(path) as curious:
        assert lines(curious, b'{"request":"subscribe","id":1}\n')["result"] == {"subscribed": True}
        board.tell_phase("checking")
        with curious.makefile("rb") as file:
            assert json.loads(file.readline()) == {"event": "phase", "phase": "checking"}
        assert "event" not in lines(quiet, b'{"request":"status"}\n')


def test_something_else_at_that_path_stays(tmp_path, board):
    path = tmp_path / "x"
    path.write_text("mine")
    with pytest.raises(ControlRefused, match="is no socket"):
        SocketServer(str(path), board)
    assert path.read_text() == "mine"


def test_a_socket_that_was_left_behind_is_replaced(tmp_path, board):
    path = str(tmp_path / "x")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
    with SocketServer(path, board), ControlClient(path) as client:
        assert client.ask(Request(Word.STATUS))


def test_a_group_that_there_is_not(tmp_path, board):
    with pytest.raises(ControlRefused, match="no group nobody-here"):
        SocketServer(str(tmp_path / "x"), board, "nobody-here")
