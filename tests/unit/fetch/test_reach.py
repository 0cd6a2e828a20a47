# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import http.server
import socket
import threading

import pytest

from ostrya.fetch.reach import reach


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server():
    made = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_somebody_takes_the_connection(server):
    assert reach(server, 5) == ""


@pytest.mark.parametrize(("status", "answer"), [(200, ""), (404, ""), (503, "status 503")])
def test_a_server_answers(server, status, answer):
    assert reach(f"http://{server}/{status}", 5) == answer


def test_nobody_is_there(closed_port):
    assert "refused" in reach(f"127.0.0.1:{closed_port}", 5)
    assert reach(f"http://127.0.0.1:{closed_port}/", 5)


def test_a_deadline():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "timed out" in reach(f"http://127.0.0.1:{silent.getsockname()[1]}/", 0.3)


@pytest.mark.parametrize("address", ["", "host", "ftp://x/", "host:x", "a/b:1", "h:99999"])
def test_no_address(address):
    assert reach(address, 1)
