# SPDX-License-Identifier: Apache-2.0
"""A hostile server, and fetchers that do not wait long."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from ostrya.fetch.http import HttpFetcher
from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.retry import RetryPolicy
from support.fetching import CONTENT
from support.hostile import HostileServer

QUICK = RetryPolicy(first_delay_s=0.001, max_delay_s=0.01)


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """A server with ``CONTENT``, honest until told otherwise."""
    with HostileServer(dict(CONTENT)) as server:
        yield server


@pytest.fixture
def spool_fd(tmp_path) -> Iterator[int]:
    """An empty directory, which stays empty."""
    folder = tmp_path / "spool"
    folder.mkdir()
    fd = os.open(folder, os.O_RDONLY)
    yield fd
    os.close(fd)
    assert not list(folder.iterdir())


@pytest.fixture
def make_fetcher(spool_fd) -> Iterator[Callable[..., HttpFetcher]]:
    """Make fetchers with options; they are closed at the end."""
    made = []

    def make(**options: object) -> HttpFetcher:
        fetcher = HttpFetcher(HttpOptions(**({"retry": QUICK} | options)), spool_fd)
        made.append(fetcher)
        return fetcher

    yield make
    for fetcher in made:
        fetcher.close()


@pytest.fixture
def fetcher(make_fetcher) -> HttpFetcher:
    """One with the default options."""
    return make_fetcher()
