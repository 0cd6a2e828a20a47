# SPDX-License-Identifier: Apache-2.0
"""Heads of requests."""

from __future__ import annotations

import pytest

from ostrya.serve.requests import BadRequestError, parse_request

LINE = b"GET /config HTTP/1.1"


def head(*fields: bytes, line: bytes = LINE, host: bytes | None = b"Host: x") -> bytes:
    return b"\r\n".join([line, *([host] if host else []), *fields])


def test_a_request():
    request = parse_request(
        head(b"Range:bytes=0-1", b"X-A: one", b"x-a:\t two ", b"X-B:", b"X-C: \xe9")
    )
    assert (request.method, request.target) == ("GET", "/config")
    assert request.fields == {
        "host": "x", "range": "bytes=0-1", "x-a": "one, two", "x-b": "", "x-c": "é",
    }  # fmt: skip
    assert request.keep_alive


@pytest.mark.parametrize(
    ("line", "fields", "keeps"),
    [
        (LINE, [], True),
        (LINE, [b"Connection: close"], False),
        (LINE, [b"Connection: Foo, CLOSE"], False),
        (LINE, [b"Content-Length: 0"], True),
        (LINE, [b"Content-Length: 5"], False),
        (LINE, [b"Transfer-Encoding: chunked"], False),
        (b"GET / HTTP/1.0", [], False),
        (b"GET / HTTP/1.0", [b"Connection: keep-alive"], True),
        (b"GET / HTTP/1.9", [], True),
    ],
)
def test_which_connections_stay(line, fields, keeps):
    assert parse_request(head(*fields, line=line)).keep_alive is keeps


def test_old_clients_need_not_name_a_host():
    assert parse_request(head(line=b"GET / HTTP/1.0", host=None)).fields == {}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"", 400),
        (b"GET /", 400),
        (b"GET  / HTTP/1.1\r\nHost: x", 400),
        (b" GET / HTTP/1.1\r\nHost: x", 400),
        (b"GET / HTTP/1.1 \r\nHost: x", 400),
        (b"GET /a b HTTP/1.1\r\nHost: x", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x", 400),
        (b"G@T / HTTP/1.1\r\nHost: x", 400),
        (b"GET / HTTP/2.0\r\nHost: x", 505),
        (b"GET / HTTP/0.9\r\nHost: x", 505),
        (b"GET / HTTP/11.1\r\nHost: x", 400),
        (head(host=None), 400),
        (head(b"Host: y"), 400),
        (head(b"Range: bytes=0-1", b"Range: bytes=2-3"), 400),
        (head(b"Content-Length: 1", b"Content-Length: 2"), 400),
        (head(b"Range : bytes=0-1"), 400),
        (head(b" folded"), 400),
        (head(b"no colon"), 400),
        (head(b"X: a\nY: b"), 400),
        (head(b"X: a\x00"), 400),
        (head(b": x"), 400),
        (head(*[b"X-%d: x" % n for n in range(101)]), 431),
        (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x", 414),
        (b"GET /" + b"x" * 5000, 414),
    ],
)
def test_what_is_refused(text, status):
    with pytest.raises(BadRequestError) as caught:
        parse_request(text)
    assert caught.value.status == status
