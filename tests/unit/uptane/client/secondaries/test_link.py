# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
import threading

import pytest

from ostrya.uptane.client.errors import MessageInvalid, SecondaryUnreachable
from ostrya.uptane.client.secondaries.link import Address, Connection, Timeouts, connect
from ostrya.uptane.client.secondaries.messages import GetInfoReq, InstallReq, VersionReq, encode


@pytest.fixture
def pair():
    one, other = socket.socketpair()
    yield Connection(one, 1000), other
    one.close()
    other.close()


def test_messages_in_pieces_and_several_at_once(pair):
    connection, other = pair
    data = encode(VersionReq(2)) + encode(GetInfoReq())
    for at in range(len(data)):
        other.send(data[at : at + 1])
    assert connection.receive(5) == VersionReq(2)
    assert connection.receive(5) == GetInfoReq()
    other.close()
    assert connection.receive(5) is None


def test_a_message_that_is_too_long_is_not_read(pair):
    connection, other = pair
    other.send(encode(InstallReq(b"x" * 2000))[:10])
    with pytest.raises(MessageInvalid, match="may be read"):
        connection.receive(5)


def test_an_end_in_the_middle(pair):
    connection, other = pair
    other.send(encode(VersionReq(2))[:4])
    other.close()
    with pytest.raises(ConnectionError, match="in the middle"):
        connection.receive(5)


def test_who_dribbles_is_not_waited_for(pair, monkeypatch):
    """The time is for the whole message, not for each byte of it."""
    connection, other = pair
    times = iter([0.0, 1.0, 2.0, 9.0, 11.0])
    from ostrya.uptane.client.secondaries import link

    monkeypatch.setattr(link.time, "monotonic", lambda: next(times))
    other.send(b"\xb1")

    def dribble():
        for _ in range(3):
            other.send(b"\x05")

    thread = threading.Thread(target=dribble)
    thread.start()
    with pytest.raises(TimeoutError):
        connection.receive(10)
    thread.join()


def test_nobody_there(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = Address("127.0.0.1", port)
    with (
        pytest.raises(SecondaryUnreachable, match=f"at 127.0.0.1:{port}"),
        connect(address, Timeouts(1)),
    ):
        pass
    assert str(Address("::1", 5)) == "[::1]:5"
