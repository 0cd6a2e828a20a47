# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ostrya.fetch.errors import BodyTooLarge, NetworkError
from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.http_sender import HttpSender, Upload
from ostrya.fetch.retry import RetryPolicy
from support.ports import free_port

ONCE_MORE = HttpOptions(retry=RetryPolicy(1, 0.01), headers=(("X-All", "1"),))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        pass

    def serve(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers), data))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"hello")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815  # http.server looks for them


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.seen, server.statuses = [], []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sender():
    sender = HttpSender(ONCE_MORE)
    yield sender
    sender.close()


def test_what_is_only_asked_after_may_be_of_any_size(server, sender):
    assert sender.send("HEAD", f"{server.url}/a", max_bytes=4).status == 200
    with pytest.raises(BodyTooLarge):
        sender.send("GET", f"{server.url}/a", max_bytes=4)


def test_methods(server, sender):
    for method in ("GET", "HEAD", "DELETE"):
        answer = sender.send(method, f"{server.url}/a", headers=[("X-One", "2")])
        assert (answer.status, answer.body) == (200, b"" if method == "HEAD" else b"hello")
    assert [seen[0] for seen in server.seen] == ["GET", "HEAD", "DELETE"]
    assert all(seen[2]["X-All"] == "1" and seen[2]["X-One"] == "2" for seen in server.seen)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_bytes_in_memory_and_in_a_file(server, sender, tmp_path, method):
    data = os.urandom(300_000)
    (tmp_path / "file").write_bytes(data)
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    sender.send(method, server.url, Upload(data, size=len(data)))
    sender.send(method, server.url, Upload(fd=fd, size=len(data)))
    sender.send(method, server.url, Upload(b""))
    os.close(fd)
    assert [seen[3] for seen in server.seen] == [data, data, b""]
    assert {seen[0] for seen in server.seen} == {method}
    assert not [seen for seen in server.seen if "Expect" in seen[2]]


def test_a_handle_forgets_what_it_sent(server, sender):
    sender.send("PUT", server.url.replace("//", "//me:pass@"), Upload(b"x", size=1))
    sender.send("GET", server.url)
    assert server.seen[0][2]["Authorization"].startswith("Basic ")
    assert "Authorization" not in server.seen[1][2]
    assert server.seen[1][3] == b""


@pytest.mark.parametrize("first", [503, 429, 0])
def test_what_may_pass_is_tried_again(server, sender, first):
    server.statuses[:] = [first]
    assert sender.send("POST", server.url, Upload(b"x", size=1)).status == 200
    assert [seen[3] for seen in server.seen] == [b"x", b"x"]


def test_and_not_for_ever(server, sender):
    server.statuses[:] = [503, 503]
    assert sender.send("GET", server.url).status == 503
    server.statuses[:] = [0, 0, 0, 0]
    with pytest.raises(NetworkError):
        sender.send("GET", server.url)


def test_a_refusal_is_an_answer(server, sender):
    server.statuses[:] = [404, 302]
    assert sender.send("GET", server.url).status == 404
    assert sender.send("GET", server.url).status == 302
    assert len(server.seen) == 2


def test_an_answer_that_is_too_long(server, sender):
    with pytest.raises(BodyTooLarge):
        sender.send("GET", server.url, max_bytes=3)


def test_nobody_there(sender):
    with pytest.raises(NetworkError, match="While fetching http://127"):
        sender.send("GET", f"http://me:secret@127.0.0.1:{free_port()}/")
    with pytest.raises(NetworkError) as raised:
        sender.send("GET", f"http://me:secret@127.0.0.1:{free_port()}/")
    assert "secret" not in str(raised.value)


def test_many_threads(server, sender):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: sender.send("GET", f"{server.url}/{n}"), range(40)))
    assert {answer.status for answer in answers} == {200}
    assert {seen[1] for seen in server.seen} == {f"/{n}" for n in range(40)}
