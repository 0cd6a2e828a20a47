# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import errno
import socket
import ssl

import pytest

from ostrya.fleet.acceptor import Acceptor, Door, address_of
from ostrya.fleet.connections import Connections, Places


class Echo(asyncio.Protocol):
    def __init__(self, seat):
        self.seat = seat

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def connection_lost(self, _exc):
        self.seat.leave()


def listen():
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    found.listen(16)
    return found


def run(work, most=2, tls=None):
    async def main():
        with listen() as bound:
            connections = Connections(Places(10, 10, most))
            acceptor = Acceptor(Door("d", bound, tls, connections, 0.3, 0.1), Echo)
            try:
                return await work(bound.getsockname(), connections)
            finally:
                acceptor.close()
                await acceptor.wait_closed()

    return asyncio.run(asyncio.wait_for(main(), 30))


async def echo(address):
    """Connect and say something; b"" if nobody answers."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(b"x")
        return await reader.read(1), writer
    except ConnectionError:
        return b"", writer


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


def test_who_finds_no_place_is_not_spoken_to(caplog):
    async def work(address, connections):
        found = [await echo(address) for _ in range(4)]
        assert [answer for answer, _ in found] == [b"x", b"x", b"", b""]
        assert len(connections) == 2
        found[0][1].close()
        await until(lambda: len(connections) == 1)
        found.append(await echo(address))
        assert found[-1][0] == b"x"
        for _, writer in found:
            writer.close()
        await until(lambda: not len(connections))

    run(work)
    assert caplog.text.count("there are too many address=127.0.0.1") == 1


def test_who_does_not_shake_hands_holds_a_place_for_some_time_only():
    async def work(address, connections):
        silent = [await asyncio.open_connection(*address) for _ in range(2)]
        await until(lambda: len(connections) == 2)
        silent.append(await asyncio.open_connection(*address))
        assert await silent[2][0].read() == b""
        await until(lambda: not len(connections))
        for reader, writer in silent:
            assert await reader.read() == b""
            writer.close()

    run(work, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


def test_without_files_it_waits_and_goes_on(caplog, monkeypatch):
    monkeypatch.setattr("ostrya.fleet.acceptor._PAUSE_S", 0.01)

    async def work(address, connections):
        loop = asyncio.get_running_loop()
        real, failures = loop.sock_accept, [errno.ECONNABORTED, errno.EMFILE, errno.EMFILE]

        async def accept(listener):
            if failures:
                raise OSError(failures.pop(), "no")
            return await real(listener)

        loop.sock_accept = accept
        # The first comes to an accept that was waiting before.
        for _ in range(2):
            answer, writer = await echo(address)
            assert answer == b"x"
            writer.close()
        assert failures == []
        await until(lambda: not len(connections))

    run(work, 10)
    assert caplog.text.count("nobody can connect") == 1


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        (("192.0.2.1", 5), "192.0.2.1"),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 5, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5, 0, 0), "fe80::/64"),
        ("", ""),
    ],
)
def test_addresses(peer, counted):
    assert address_of(peer) == counted
