# SPDX-License-Identifier: Apache-2.0
"""Requests, responses, and the one-thing helper, with a fetcher in memory."""

from __future__ import annotations

import os

import pytest

from ostrya.fetch.errors import HttpStatusError
from ostrya.fetch.fetcher import Fetcher, FetchStats, Request, Response, fetch_one


class ShyFetcher:
    """Gives its one completion at the second wait."""

    def __init__(self, answer):
        self.stats = FetchStats()
        self.answer = answer
        self.waits = 0

    in_flight = 1
    room = 1

    def submit(self, key, request):
        self.key = key

    def wait(self, timeout_s):
        self.waits += 1
        return [(self.key, self.answer)] if self.waits > 1 else []

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        pass


def test_one_thing():
    fetcher: Fetcher = ShyFetcher(Response(200, "http://x", b"body", size=4))
    assert fetch_one(fetcher, Request(("http://x",), 10)).read() == b"body"


def test_one_thing_that_fails():
    with pytest.raises(HttpStatusError):
        fetch_one(ShyFetcher(HttpStatusError("http://x", 500)), Request(("http://x",), 10))


def test_reading_a_file_closes_it(tmp_path):
    (tmp_path / "x").write_bytes(b"content and more")
    fd = os.open(tmp_path / "x", os.O_RDONLY)
    assert Response(200, "u", spool_fd=fd, size=7).read() == b"content"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


@pytest.mark.parametrize(
    ("status", "absent"), [(200, False), (304, False), (403, True), (404, True)]
)
def test_absence(status, absent):
    assert Response(status, "u").is_absent is absent
