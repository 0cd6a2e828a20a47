# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import socket
import ssl
import stat
import time

import pytest

from ostrya.fleet import server as module
from ostrya.fleet.errors import SetupError
from ostrya.fleet.server import allow_connections, bind, bind_here, gateway_context
from ostrya.fleet.settings import Server, Settings
from support.fleet_device import Link, tls
from support.fleet_server import make, start


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("server") / "fleet")
    text = (folder / "fleet.toml").read_text()
    text = text.replace("[server]\n", "[server]\nrequest_timeout_s = 1\n")
    (folder / "fleet.toml").write_text(text)
    with start(folder) as found:
        yield found


@pytest.fixture(scope="module")
def car(running, tmp_path_factory):
    found = running.device("car-1", tmp_path_factory.mktemp("car"))
    yield found
    found.link.close()


def talk(running, car, data: bytes, *, wait_s: float = 10.0) -> bytes:
    """Send raw bytes on a connection of a device, and return all that comes until it is closed."""
    with (
        socket.create_connection((car.link.host, car.link.port), wait_s) as raw,
        car.link.context.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        connection.sendall(data)
        found = b""
        while part := connection.recv(65536):
            found += part
        return found


def test_the_device_is_taken_from_the_connection(running, car):
    reply = car.link.ask("GET", "/director/targets.json", headers={"x-ats-device-uuid": "other"})
    assert reply.json()["signed"]["custom"]["vehicleId"] == "car-1"
    # The same connection, another request.
    assert car.send_manifest().status == 200


def test_nobody_connects_without_a_certificate(running):
    with pytest.raises((ssl.SSLError, OSError)):
        Link(running.url, tls(running.ca)).ask("GET", "/director/targets.json")


def test_nobody_connects_with_a_certificate_of_another_authority(running, tmp_path):
    other = make(tmp_path / "other")
    context = tls(running.ca, other / "ca" / "provisioning.pem", other / "ca" / "provisioning.key")
    with pytest.raises((ssl.SSLError, OSError)):
        Link(running.url, context).ask("POST", "/devices", b"{}")


def test_the_servers_certificate_is_no_device(running):
    folder = running.folder / "ca"
    context = tls(running.ca, folder / "server.pem", folder / "server.key")
    # OpenSSL refuses it already, for its purpose; if not, the registry does.
    try:
        reply = Link(running.url, context).ask("GET", "/director/targets.json")
    except (ssl.SSLError, OSError):
        return
    assert reply.status == 403


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"PUT /director/manifest HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"PUT /director/manifest HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"PUT /director/manifest HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"BREW / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n\r\n",
        b"\r\n" * 50 + b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
    ],
)
def test_what_is_no_request(running, car, data):
    found = talk(running, car, data)
    assert found.startswith((b"HTTP/1.1 4", b"")), found
    if found:
        assert found.split()[1][:1] == b"4", found
    assert car.send_manifest().status == 200


def test_who_begins_a_request_and_does_not_go_on_is_not_waited_for(running, car):
    begin = time.monotonic()
    assert talk(running, car, b"GET / HTTP/1.1\r\nhost: ") == b""
    assert talk(running, car, b"") == b""
    slow = b"PUT /director/manifest HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n1"
    assert b"request_timeout" in talk(running, car, slow + b"", wait_s=60)
    assert time.monotonic() - begin < 60


def test_a_head_without_end_is_not_kept(running, car):
    data = b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 100_000
    found = talk(running, car, data)
    assert found.startswith(b"HTTP/1.1 431 "), found
    assert b"head_too_large" in found
    long = {"x": "a" * 30_000}
    for _ in range(4):
        # Each by itself is short enough.
        assert car.link.ask("GET", "/director/targets.json", headers=long).status == 200


def test_what_begins_no_request_is_not_waited_for(running, car):
    get = b"GET /director/targets.json HTTP/1.1\r\nhost: x\r\n\r\n"
    with (
        socket.create_connection((car.link.host, car.link.port), 30) as raw,
        car.link.context.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        connection.sendall(get)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"\r\n")
        while connection.recv(65536):
            pass


def test_it_ends_in_order_although_clients_stay(running, car, tmp_path):
    folder = make(tmp_path / "fleet")
    with start(folder) as server:
        device = server.device("car-2", tmp_path)
        assert device.send_manifest().status == 200
        assert server.stop() == 0
        device.link.close()
    assert not any("ERROR" in line for line in server.output), server.output


def test_a_port_that_is_taken():
    first = bind("127.0.0.1", 0)
    try:
        with pytest.raises(SetupError, match="nobody can listen at"):
            bind("127.0.0.1", first.getsockname()[1])
    finally:
        first.close()


def test_a_socket_for_its_owner_alone(tmp_path):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    path = str(folder / "admin.sock")
    first = bind_here(path)
    try:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with pytest.raises(SetupError, match="answers at"):
            bind_here(path)
    finally:
        first.close()
    bind_here(path).close()


def test_a_certificate_that_is_gone(tmp_path):
    from ostrya.fleet.settings import Settings

    with pytest.raises(SetupError, match="server's certificate"):
        gateway_context(Settings(str(tmp_path)))


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "possible"),
    [
        (1024, 1 << 20, 8704, 4096),
        (1024, -1, 8704, 4096),
        (8704, 8704, None, 4096),
        (100, 4608, 4608, 2048),
        (100, 100, 100, 25),
    ],
)
def test_files_may_be_open_for_all_connections(monkeypatch, caplog, soft, hard, wanted, possible):
    seen = []
    monkeypatch.setattr(module.resource, "getrlimit", lambda _what: (soft, hard))
    monkeypatch.setattr(module.resource, "setrlimit", lambda _what, limits: seen.append(limits))
    assert allow_connections(Settings("x", Server(max_connections=4096))) == possible
    assert seen == ([] if wanted is None else [(wanted, hard)])
    assert ("raise LimitNOFILE" in caplog.text) == (possible < 4096)
