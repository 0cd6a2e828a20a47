# SPDX-License-Identifier: Apache-2.0
"""Requests and answers, as the bytes that they are."""

from __future__ import annotations

import http.client
import os
import socket
import stat

import pytest

from ostrya.serve import connection as connection_module

BIG = bytes(range(256)) * 40_000


def ask(server, path: str, *, method: str = "GET", **fields: str):
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    client.request(method, path, headers=headers)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    return answer, body


def talk(server, data: bytes) -> bytes:
    """Send bytes, and nothing more; return all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        received = b""
        while more := link.recv(65536):
            received += more
    return received


def test_a_file(server, folder):
    answer, body = ask(server, "/config")
    assert (answer.status, body) == (200, (folder / "config").read_bytes())
    status = (folder / "config").stat()
    assert answer.headers["Content-Length"] == str(len(body))
    assert answer.headers["ETag"].startswith('"')
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Date"].endswith(" GMT")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again, body = ask(server, "/config", If_None_Match=answer.headers["ETag"])
    assert (again.status, body, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    assert again.headers["Content-Length"] is None
    since = answer.headers["Last-Modified"]
    assert ask(server, "/config", If_Modified_Since=since)[0].status == 304
    os.utime(folder / "config", (status.st_atime + 5, status.st_mtime + 5))
    assert ask(server, "/config", If_Modified_Since=since)[0].status == 200
    assert ask(server, "/config")[0].headers["ETag"] != answer.headers["ETag"]


def test_a_long_file(server):
    answer, body = ask(server, "/objects/ab/cd.filez")
    assert body == BIG
    assert "immutable" in answer.headers["Cache-Control"]
    assert "immutable" not in ask(server, "/objects/ab/ef.commitmeta")[0].headers["Cache-Control"]


def test_an_empty_file(server):
    answer, body = ask(server, "/empty")
    assert (answer.status, body, answer.headers["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize(("first", "last"), [(0, 0), (5, 100), (100, 5_000_000)])
def test_parts(server, first, last):
    answer, body = ask(server, "/objects/ab/cd.filez", Range=f"bytes={first}-{last}")
    assert (answer.status, body) == (206, BIG[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(BIG)}"


def test_a_part_behind_the_end(server):
    answer, body = ask(server, "/config", Range="bytes=1000-")
    assert (answer.status, body) == (416, b"")
    assert answer.headers["Content-Range"] == "bytes */38"


def test_several_parts_are_all(server):
    answer, body = ask(server, "/config", Range="bytes=0-1,5-6")
    assert (answer.status, len(body)) == (200, 38)


def test_head(server):
    for path in ("/config", "/objects/ab/cd.filez", "/none"):
        get, _ = ask(server, path)
        head, body = ask(server, path, method="HEAD")
        assert (head.status, body) == (get.status, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]
        assert head.headers["ETag"] == get.headers["ETag"]


@pytest.mark.parametrize(
    "path",
    ["/", "/none", "/objects", "/objects/", "/objects/ab", "/config/", "/config/x", "/tmp/secret",
     "/.lock", "/origin.cookies.txt", "/../outside", "/%2e%2e/outside", "/..%2foutside",
     "/refs/heads/out", "/refs/heads/absolute", "/objects/out/outside", "/objects/out/repo/config",
     "/pipe", "/refs/heads/" + "x" * 300],
)  # fmt: skip
def test_what_is_not_there(server, path):
    answer, body = ask(server, path)
    assert (answer.status, body) == (404, b"404 Not Found\n")
    assert answer.headers["Cache-Control"] == "no-cache"


def test_links_inside(server):
    assert ask(server, "/refs/heads/alias")[1] == b"0" * 64 + b"\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "BREW"])
def test_other_methods(server, method):
    answer, _ = ask(server, "/config", method=method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.headers["Connection"] == "close"


def test_a_connection_is_kept(server):
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    client.connect()
    own = client.sock
    for path in ("/config", "/none", "/objects/ab/cd.filez", "/empty"):
        client.request("GET", path)
        client.getresponse().read()
        assert client.sock is own
    client.close()


def test_requests_in_a_row(server):
    one = b"GET /empty HTTP/1.1\r\nHost: x\r\n\r\n"
    received = talk(server, one * 3 + b"\r\n" + one)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 4


def test_the_client_ends_it(server):
    received = talk(server, b"GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" * 2)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 1
    received = talk(server, b"GET /empty HTTP/1.0\r\n\r\n" * 2)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 1


def test_a_body_is_not_taken_for_a_request(server):
    inner = b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n"
    received = talk(
        server,
        b"GET /empty HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(inner), inner),
    )
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
        (b"GET /" + b"x" * 8000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, 431),
        (b"\x16\x03\x01\x02\x00" + b"\0" * 200 + b"\r\n\r\n", 400),
    ],
)
def test_nonsense(server, data, status):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        link.sendall(data)
        assert link.recv(20).startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_half_a_request(server, data):
    assert talk(server, data) == b""


def test_a_head_has_its_time(server, monkeypatch):
    monkeypatch.setattr(connection_module, "HEAD_S", 0.05)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        link.sendall(b"GET /config HTT")
        assert link.recv(100).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_idling_has_its_time(server, monkeypatch):
    monkeypatch.setattr(connection_module, "IDLE_S", 0.05)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        assert link.recv(100) == b""


def test_the_log(serve):
    lines = []
    server = serve(log=lambda *what: lines.append(what))
    ask(server, "/config")
    ask(server, "/none", method="HEAD")
    talk(server, b"bad \xff\x1b[31m\r\n\r\n")
    assert lines == [
        ("127.0.0.1", "GET /config HTTP/1.1", 200, 38),
        ("127.0.0.1", "HEAD /none HTTP/1.1", 404, 14),
        ("127.0.0.1", "bad \\xff\x1b[31m", 400, 16),
    ]


def test_a_file_that_is_replaced_meanwhile_is_sent_as_it_was(server, folder):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
        link.sendall(b"GET /objects/ab/cd.filez HTTP/1.0\r\n\r\n")
        received = link.recv(1000)
        (folder / "new").write_bytes(b"new")
        (folder / "new").rename(folder / "objects/ab/cd.filez")
        while more := link.recv(65536):
            received += more
    assert received.endswith(BIG)


def test_a_file_that_shrinks_ends_the_connection(server, folder):
    path = folder / "objects/ab/cd.filez"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
        link.sendall(b"GET /objects/ab/cd.filez HTTP/1.1\r\nHost: x\r\n\r\n")
        received = link.recv(1000)
        os.truncate(path, 100)
        while more := link.recv(65536):
            received += more
    assert len(received) < len(BIG)


def test_no_descriptor_stays_open(server, folder):
    def open_files() -> list[str]:
        found = []
        for name in os.listdir("/proc/self/fd"):
            try:
                if stat.S_ISREG(os.stat(f"/proc/self/fd/{name}").st_mode):
                    found.append(os.readlink(f"/proc/self/fd/{name}"))
            except OSError:
                pass
        return [path for path in found if path.startswith(str(folder))]

    for path in ("/config", "/none", "/objects/ab/cd.filez", "/pipe", "/objects"):
        ask(server, path)
    server.close()
    assert open_files() == []
