# SPDX-License-Identifier: Apache-2.0
"""Bytes through a pair of sockets, and clients that do not take them."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from ostrya.serve import sending
from ostrya.serve.sending import SlowClientError, read_until, send, send_file


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def read(link, already=b"", *, max_bytes=1000, seconds=30.0):
    deadline = time.monotonic() + seconds
    return read_until(link, b"\n\n", already, max_bytes=max_bytes, deadline=deadline)


def test_up_to_a_mark(pair):
    ours, theirs = pair
    theirs.sendall(b"ad\n")
    theirs.sendall(b"\nrest")
    assert read(ours, b"he") == (b"head", b"rest")
    assert read(ours, b"one\n\ntwo") == (b"one", b"two")


def test_the_other_side_ends_it(pair):
    ours, theirs = pair
    theirs.sendall(b"he")
    theirs.close()
    assert read(ours) == (b"", b"")


def test_too_much_without_a_mark(pair):
    ours, theirs = pair
    theirs.sendall(b"x" * 2000)
    with pytest.raises(ValueError, match="1000"):
        read(ours)


def test_too_slow(pair):
    with pytest.raises(SlowClientError):
        read(pair[0], seconds=0.02)
    with pytest.raises(SlowClientError):
        read(pair[0], seconds=-1)


@pytest.mark.parametrize("length", [0, 10, 5_000_000])
def test_all_of_it_arrives(pair, tmp_path, length):
    ours, theirs = pair
    data = os.urandom(length)
    (tmp_path / "file").write_bytes(b"skip" + data + b"rest")
    received = []

    def take():
        while more := theirs.recv(65536):
            received.append(more)

    thread = threading.Thread(target=take)
    thread.start()
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    send(ours, b"head", more_follows=True)
    assert send_file(ours, fd, 4, length)
    send(ours, data)
    ours.shutdown(socket.SHUT_WR)
    thread.join()
    os.close(fd)
    assert b"".join(received) == b"head" + data + data


def test_a_file_without_as_much(pair, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    assert not send_file(pair[0], fd, 0, 100)
    os.close(fd)


def test_nobody_takes_it(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(sending, "PIECE_S", 0.02)
    with pytest.raises(SlowClientError):
        send(pair[0], bytes(10_000_000))
    (tmp_path / "file").write_bytes(bytes(10_000_000))
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    with pytest.raises(SlowClientError):
        send_file(pair[0], fd, 0, 10_000_000)
    os.close(fd)
