# SPDX-License-Identifier: Apache-2.0
"""Fetching from a server that we did not write: nginx, over HTTP/1.1, HTTP/2 and TLS."""

from __future__ import annotations

import os

import pytest

from ostrya.errors import FetchError
from ostrya.fetch.errors import HttpStatusError, TlsError
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.fetch.http import HttpFetcher
from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.retry import RetryPolicy
from support.certificates import make_certificates
from support.nginx import nginx

COUNT = 1000
BIG = bytes(range(256)) * 40_000


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nginx")
    root = folder / "root"
    root.mkdir()
    for number in range(COUNT):
        (root / str(number)).write_bytes(b"%d\n" % number * 50)
    (root / "big").write_bytes(BIG)
    return folder


@pytest.fixture(scope="module")
def certs(place):
    return make_certificates(place / "certs")


@pytest.fixture(scope="module")
def server(place, certs):
    with nginx(place / "open", place / "root", certs) as server:
        yield server


@pytest.fixture
def make_fetcher(tmp_path, certs):
    fd = os.open(tmp_path, os.O_RDONLY)
    made = []

    def make(**options: object) -> HttpFetcher:
        options = {"tls_ca_path": str(certs.ca), "retry": RetryPolicy(first_delay_s=0.01)} | options
        made.append(HttpFetcher(HttpOptions(**options), fd))
        return made[-1]

    yield make
    for fetcher in made:
        fetcher.close()
    os.close(fd)


def get_all(fetcher: HttpFetcher, base: str) -> int:
    """Get every file as callers do; say the most that were in flight."""
    numbers, found, most = list(range(COUNT)), {}, 0
    while len(found) < COUNT:
        for _ in range(min(fetcher.room, len(numbers))):
            number = numbers.pop()
            fetcher.submit(number, Request((f"{base}/{number}",), 4096))
        found.update(fetcher.wait(None))
        most = max(most, len(fetcher._active))
    assert all(found[number].body == b"%d\n" % number * 50 for number in range(COUNT))
    return most


def test_http1_keeps_its_connections(server, make_fetcher):
    fetcher = make_fetcher()
    assert get_all(fetcher, server.http) <= 64
    assert fetcher.stats.connections <= 64
    assert fetcher.stats.requests == COUNT


def test_http2_needs_one_connection(server, make_fetcher):
    fetcher = make_fetcher()
    assert get_all(fetcher, server.https) <= 128
    assert fetcher.stats.connections == 1
    assert fetcher.window.limit == 128
    assert ' HTTP/2.0" ' in server.requests()[-1]


def test_http2_can_be_left_out(server, make_fetcher):
    fetcher = make_fetcher(http2=False)
    assert get_all(fetcher, server.https) <= 64
    assert ' HTTP/1.1" ' in server.requests()[-1]


def test_the_number_in_flight_can_be_limited(server, make_fetcher):
    assert get_all(make_fetcher(max_in_flight=3), server.https) == 3


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_answers(server, make_fetcher, scheme):
    fetcher, base = make_fetcher(), getattr(server, scheme)
    big = fetch_one(fetcher, Request((f"{base}/big",), len(BIG)))
    assert big.read() == BIG
    assert fetch_one(fetcher, Request((f"{base}/big",), len(BIG), etag=big.etag)).status == 304
    same = Request((f"{base}/big",), len(BIG), last_modified=big.last_modified)
    assert fetch_one(fetcher, same).status == 304
    part = fetch_one(fetcher, Request((f"{base}/big",), len(BIG), offset=len(BIG) - 5))
    assert (part.status, part.body) == (206, BIG[-5:])
    assert fetch_one(fetcher, Request((f"{base}/none",), 10)).is_absent
    with pytest.raises(FetchError, match="exceeded maximum size of 100 bytes"):
        fetch_one(fetcher, Request((f"{base}/big",), 100))
    with pytest.raises(HttpStatusError, match="HTTP 416"):
        fetch_one(fetcher, Request((f"{base}/0",), 1000, offset=5000))


def test_client_certificates(place, certs, make_fetcher):
    with nginx(place / "closed", place / "root", certs, verify=True) as server:
        known = make_fetcher(
            tls_client_cert_path=str(certs.client), tls_client_key_path=str(certs.client_key)
        )
        get_all(known, server.https)
        request = Request((f"{server.https}/0",), 1000)
        for options in (
            {},
            {
                "tls_client_cert_path": str(certs.stranger),
                "tls_client_key_path": str(certs.stranger_key),
            },
        ):
            with pytest.raises(HttpStatusError, match="Server returned HTTP 400"):
                fetch_one(make_fetcher(**options), request)


def test_unknown_authorities(server, certs, make_fetcher):
    request = Request((f"{server.https}/0",), 1000)
    with pytest.raises(TlsError, match=r"While fetching https://.*/0: \[60\]"):
        fetch_one(make_fetcher(tls_ca_path=str(certs.stranger)), request)
    assert fetch_one(make_fetcher(tls_ca_path="", tls_permissive=True), request).status == 200
