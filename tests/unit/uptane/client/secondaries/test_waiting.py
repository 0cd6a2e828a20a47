# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress

import pytest

from ostrya.uptane.client.secondaries.link import Address, LinkTls, server_context
from ostrya.uptane.client.secondaries.waiting import Waiting
from support.fleet_ca import FleetCa


@pytest.fixture
def waiting():
    with Waiting(0, "127.0.0.1") as found:
        yield found


def come(waiting, wrap=None) -> threading.Thread:
    """Let an ECU connect, on a thread."""

    def run() -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", waiting.port), 10) as peer:
            if wrap is not None:
                wrap(peer).close()
            else:
                peer.recv(1)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def next_one(waiting, address: Address) -> list[Address]:
    asked: list[Address] = []
    waiting.next([address], lambda one, _connection: asked.append(one), 10)
    return asked


def test_who_is_expected_is_asked(waiting):
    thread = come(waiting)
    address = Address("localhost", 9030)
    assert next_one(waiting, address) == [address]
    thread.join(10)


def test_nobody_comes(waiting):
    asked: list[Address] = []
    waiting.next([Address("127.0.0.1", 1)], lambda one, _: asked.append(one), 0.01)
    assert asked == []


def test_somebody_else_comes(waiting, caplog):
    come(waiting)
    assert next_one(waiting, Address("192.0.2.7", 9030)) == []
    assert "nobody is waited for" in caplog.text


@pytest.mark.parametrize("vouched", [True, False], ids=["ours", "a-stranger"])
def test_with_tls(waiting, tmp_path, vouched):
    ca, other = FleetCa(), FleetCa("other")
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    ours = LinkTls(str(tmp_path / "ca.pem"), *ca.issue("primary").write(tmp_path, "primary"))
    issuer = ca if vouched else other
    theirs = LinkTls(str(tmp_path / "ca.pem"), *issuer.issue("ecu").write(tmp_path, "ecu"))

    def wrap(peer) -> ssl.SSLSocket:
        return server_context(theirs).wrap_socket(peer, server_side=True)

    thread = come(waiting, wrap)
    address = Address("127.0.0.1", 9030, ours)
    assert next_one(waiting, address) == ([address] if vouched else [])
    thread.join(10)
