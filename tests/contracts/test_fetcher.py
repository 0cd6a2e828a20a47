# SPDX-License-Identifier: Apache-2.0
"""What every fetcher does, whatever it fetches from."""

from __future__ import annotations

import os

import pytest

from ostrya.errors import FetchError
from ostrya.fetch.fetcher import MEMORY_BODY_BYTES, Fetcher, Request, fetch_one
from ostrya.fetch.http import HttpFetcher
from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.local_files import LocalFetcher
from ostrya.fetch.retry import RetryPolicy
from support.hostile import HostileServer

BIG = bytes(range(256)) * (MEMORY_BODY_BYTES // 256 + 1)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "small").write_bytes(b"hello")
    (root / "empty").touch()
    (root / "big").write_bytes(BIG)
    (root / "a name").write_bytes(b"name")
    return root


@pytest.fixture(params=["http", "file"])
def place(request, folder, tmp_path):
    """A fetcher, and where its files are."""
    if request.param == "file":
        with LocalFetcher() as fetcher:
            yield fetcher, f"file://{folder}"
        return
    fd = os.open(tmp_path, os.O_RDONLY)
    options = HttpOptions(retry=RetryPolicy(retries=0))
    with HostileServer(folder) as server, HttpFetcher(options, fd) as fetcher:
        yield fetcher, server.url
    os.close(fd)


def test_bodies(place):
    fetcher, base = place
    for name, body in (("small", b"hello"), ("empty", b""), ("a%20name", b"name"), ("big", BIG)):
        answer = fetch_one(fetcher, Request((f"{base}/{name}",), len(BIG)))
        assert (answer.status, answer.size) == (200, len(body))
        assert (answer.spool_fd >= 0) == (len(body) > MEMORY_BODY_BYTES)
        assert answer.url == f"{base}/{name}"
        assert answer.etag is not None
        assert answer.last_modified is not None
        assert answer.read() == body


def test_spooled(place):
    fetcher, base = place
    answer = fetch_one(fetcher, Request((f"{base}/small",), 10, spool=True))
    assert (answer.body, answer.read()) == (b"", b"hello")


def test_unchanged(place):
    fetcher, base = place
    url = f"{base}/small"
    first = fetch_one(fetcher, Request((url,), 10))
    again = fetch_one(fetcher, Request((url,), 10, etag=first.etag))
    assert (again.status, again.body, again.size) == (304, b"", 0)
    assert fetch_one(fetcher, Request((url,), 10, etag='"other"')).status == 200


def test_parts(place):
    fetcher, base = place
    answer = fetch_one(fetcher, Request((f"{base}/small",), 10, offset=3))
    assert (answer.status, answer.body) == (206, b"lo")


def test_absence(place):
    fetcher, base = place
    answer = fetch_one(fetcher, Request((f"{base}/none",), 10))
    assert (answer.status, answer.is_absent, answer.body) == (404, True, b"")
    answer = fetch_one(fetcher, Request((f"{base}/none", f"{base}/small"), 10))
    assert answer.body == b"hello"


def test_limits(place):
    fetcher, base = place
    assert fetch_one(fetcher, Request((f"{base}/small",), 5)).size == 5
    for name, limit in (("small", 4), ("big", len(BIG) - 1)):
        with pytest.raises(FetchError, match=f"exceeded maximum size of {limit} bytes"):
            fetch_one(fetcher, Request((f"{base}/{name}",), limit))


@pytest.mark.parametrize("url", ["", "nothing", "ftp://host/x", "http://h/\n"])
def test_errors_come_out_of_wait(place, url):
    fetcher: Fetcher = place[0]
    fetcher.submit("key", Request((url,), 10))
    assert fetcher.in_flight == 1
    ((key, answer),) = fetcher.wait(None)
    assert key == "key"
    assert isinstance(answer, FetchError)
    assert fetcher.in_flight == 0


def test_many(place):
    fetcher, base = place
    for number in range(100):
        fetcher.submit(number, Request((f"{base}/small",), 10))
    assert fetcher.in_flight == 100
    assert fetcher.room < 100
    found = {}
    while done := fetcher.wait(1.0):
        found.update(done)
    assert {key: answer.body for key, answer in found.items()} == dict.fromkeys(
        range(100), b"hello"
    )
    assert fetcher.stats.requests >= 100
    assert fetcher.stats.bytes_received == 500
    assert fetcher.room > 0


def test_nothing_to_wait_for(place):
    assert place[0].wait(None) == []
