# SPDX-License-Identifier: Apache-2.0
"""What one device can do to a server that others need: as little as possible."""

from __future__ import annotations

import select
import socket
import ssl
import time
from contextlib import ExitStack

import pytest

from ostrya.fleet.domain.services import open_services
from ostrya.uptane.author.images import About
from support.fleet_server import make, start

GET = b"GET /director/targets.json HTTP/1.1\r\nhost: x\r\n\r\n"
LARGE_BYTES = 48 * 1024 * 1024
SETTINGS = """[server]
request_timeout_s = 1
slowest_bytes_per_s = 1000000
max_connections_per_device = 3
max_connections_per_address = 4
"""
pytestmark = pytest.mark.xdist_group("fleet-protocol")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("protocol") / "fleet")
    text = (folder / "fleet.toml").read_text()
    (folder / "fleet.toml").write_text(text.replace("[server]\n", SETTINGS))
    large = folder / "large.bin"
    with large.open("wb") as stream:
        stream.truncate(LARGE_BYTES)
    with open_services(str(folder)) as services:
        now = services.fleet.now()
        services.images.add("large", str(large), About(("board",)), now, is_commit=False)
    with start(folder) as found:
        yield found


@pytest.fixture(scope="module")
def cars(running, tmp_path_factory):
    found = [running.device(f"car-{n}", tmp_path_factory.mktemp("car")) for n in range(2)]
    for car in found:
        car.link.close()
    yield found
    for car in found:
        car.link.close()


@pytest.fixture
def crowd():
    with ExitStack() as stack:
        yield stack


def connect(car, crowd, **options: int) -> ssl.SSLSocket:
    raw = socket.socket()
    raw.settimeout(60)
    for name, value in options.items():
        raw.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    raw.connect((car.link.host, car.link.port))
    return crowd.enter_context(car.link.context.wrap_socket(raw, server_hostname="localhost"))


def all_of(connection: ssl.SSLSocket) -> bytes:
    """All that comes until the connection ends, in order or not."""
    found = bytearray()
    try:
        while part := connection.recv(65536):
            found += part
    except (ssl.SSLError, ConnectionError):
        pass
    return bytes(found)


def status_of(connection: ssl.SSLSocket) -> int:
    """The status of an answer without a body; the connection stays."""
    connection.sendall(b"HEAD /treehub/nothing HTTP/1.1\r\nhost: x\r\n\r\n")
    return int(connection.recv(65536).split()[1])


def test_one_device_cannot_have_all_connections(cars, crowd):
    busy = [connect(cars[0], crowd) for _ in range(3)]
    for one in busy:
        one.sendall(b"PUT /director/manifest HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
        # Its request is under way once the server wants to hear the rest.
        one.sendall(b"[")
    time.sleep(0.2)
    answer = all_of(connect(cars[0], crowd))
    assert answer.startswith(b"HTTP/1.1 429 "), answer
    assert b"too_many_connections" in answer
    # Others have theirs.
    assert cars[1].send_manifest().status == 200


def test_an_idle_connection_of_the_same_device_makes_room(cars, crowd):
    kept = [connect(cars[0], crowd) for _ in range(3)]
    for one in kept:
        assert status_of(one) == 404
    assert status_of(connect(cars[0], crowd)) == 404
    assert all_of(kept[0]) == b""
    assert status_of(kept[2]) == 404


def test_one_address_cannot_have_all_connections_before_it_says_who_it_is(cars, crowd):
    where = (cars[0].link.host, cars[0].link.port)
    silent = [crowd.enter_context(socket.create_connection(where, 60)) for _ in range(4)]
    with pytest.raises((ConnectionError, ssl.SSLError)):
        connect(cars[0], crowd)
    # They have so many seconds to say it; here they go by themselves.
    for one in silent:
        one.close()
    while True:
        try:
            connect(cars[0], crowd)
        except (ConnectionError, ssl.SSLError):
            time.sleep(0.05)
        else:
            break


def test_a_body_that_drips_is_not_waited_for(cars, crowd):
    connection = connect(cars[0], crowd)
    connection.sendall(
        b"PUT /director/manifest HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n["
    )
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    # Far longer than the time limit, and never silent as long as that.
    for _ in range(100):
        if poll.poll(100):
            break
        connection.sendall(b" ")
    assert b"request_timeout" in all_of(connection)


@pytest.mark.parametrize(
    "endless",
    [b"x-trailer: " + b"a" * 1000 + b"\r\n", b"1;" + b"a" * 5000 + b"\r\nx\r\n"],
    ids=["trailers", "chunks"],
)
def test_what_comes_around_a_body_has_an_end(cars, crowd, endless):
    connection = connect(cars[0], crowd)
    head = b"PUT /director/manifest HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n[\r\n"
    begin = head if endless.startswith(b"1;") else head + b"0\r\n"
    connection.sendall(begin)
    answer = b""
    try:
        for _ in range(5000):
            connection.sendall(endless)
    except (ConnectionError, ssl.SSLError):
        pass
    answer = all_of(connection)
    assert answer.startswith((b"HTTP/1.1 431 ", b"")), answer
    assert b"request_timeout" not in answer


def test_who_does_not_take_an_answer_is_not_waited_for(cars, crowd):
    connection = connect(cars[0], crowd, SO_RCVBUF=4096)
    connection.sendall(b"GET /repo/targets/large HTTP/1.1\r\nhost: x\r\n\r\n")
    poll = select.poll()
    # Only what says that the other end is gone.
    poll.register(connection, 0)
    assert poll.poll(60_000)
    # And so it is known what came of it.
    assert len(all_of(connection)) < LARGE_BYTES


def test_who_takes_an_answer_gets_all_of_it(cars, crowd):
    connection = connect(cars[0], crowd)
    connection.sendall(b"GET /repo/targets/large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    answer = all_of(connection)
    assert len(answer.partition(b"\r\n\r\n")[2]) == LARGE_BYTES


def test_small_answers_that_nobody_takes_are_not_gathered(cars, crowd):
    connection = connect(cars[0], crowd, SO_RCVBUF=4096)
    connection.setblocking(False)
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    sent = 0
    for _ in range(20_000):
        try:
            sent += connection.send(GET * 100)
        except (ssl.SSLWantWriteError, BlockingIOError):
            poll.poll(1000)
        except (ConnectionError, ssl.SSLError):
            break
    else:
        raise AssertionError(f"{sent} bytes of requests were taken, and no answer was")
    assert cars[1].send_manifest().status == 200
