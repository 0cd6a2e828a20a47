# SPDX-License-Identifier: Apache-2.0
"""The listener and its threads."""

from __future__ import annotations

import http.client
import os
import socket
import threading
from urllib.request import urlopen

import pytest

from ostrya.serve import server as server_module
from ostrya.serve.errors import ServeError
from ostrya.serve.server import Server, tls_context


def get(server: Server, path: str = "/config") -> int:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    client.request("GET", path)
    status = client.getresponse().status
    client.close()
    return status


def test_addresses(server):
    assert server.urls == (f"http://127.0.0.1:{server.port}/",)
    assert get(server) == 200


def test_below_a_path(folder):
    fd = os.open(folder, os.O_RDONLY)
    with Server(fd, "127.0.0.1", 0, below="//srv/repo/") as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        assert server.urls == (f"http://127.0.0.1:{server.port}/srv/repo/",)
        assert (get(server, "/srv/repo/config"), get(server, "/config")) == (200, 404)
        server.close()
        thread.join()
    os.close(fd)


def test_an_address_that_is_taken(server, folder):
    with pytest.raises(ServeError, match=rf"Cannot listen on 127.0.0.1 port {server.port}: "):
        Server(0, "127.0.0.1", server.port)


@pytest.mark.parametrize("address", ["256.0.0.1", "nowhere.invalid", "192.0.2.1"])
def test_an_address_that_is_not_ours(address):
    with pytest.raises(ServeError, match="Cannot listen on"):
        Server(0, address, 0)


@pytest.mark.parametrize("address", ["", "0.0.0.0"])
def test_all_addresses(folder, address, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "depot")
    fd = os.open(folder, os.O_RDONLY)
    with Server(fd, address, 0) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        assert server.urls == tuple(
            f"http://{host}:{server.port}/" for host in ("localhost", "depot")
        )
        with urlopen(f"{server.urls[0]}config", timeout=30) as answer:
            assert answer.status == 200
    thread.join()
    os.close(fd)


def test_many_clients(server):
    found = []

    def ask():
        found.extend(get(server) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 100


def test_idle_clients_make_room(serve, monkeypatch):
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 4)
    server = serve()
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(10)]
    assert get(server) == 200
    # Those that came first had to go.
    assert idle[0].recv(1) == b""
    for link in idle:
        link.close()


def test_the_end_does_not_wait_for_clients(serve):
    server = serve()
    idle = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    busy = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    busy.sendall(b"GET /objects/ab/cd.filez HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
    busy.recv(1000)
    server.close()
    assert not server._threads
    idle.close()
    busy.close()


def test_certificates_that_cannot_be_used(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(ServeError, match=r"Cannot use the certificate in .*none: No such file"):
        tls_context(str(tmp_path / "none"), None, None)
    with pytest.raises(ServeError, match=r"Cannot use the certificate in .*empty and .*none"):
        tls_context(str(tmp_path / "empty"), str(tmp_path / "none"), None)
