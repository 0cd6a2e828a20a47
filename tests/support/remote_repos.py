# SPDX-License-Identifier: Apache-2.0
"""A remote without a network: a fetcher that reads a repository's files, and can be told to lie."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Self

from ostrya.errors import FetchError
from ostrya.fetch.fetcher import FetchStats, Request, Response

BASE = "http://remote.test/repo"
Lie = Callable[[str, bytes | None], "bytes | FetchError | None"]


class FolderFetcher:
    """Answers requests for ``BASE`` out of a directory.

    Attributes:
        asked: The paths that were asked for.
        lie: Called with a path and what is there (None if nothing is); returns what to answer.
        spools: Whether every body comes in a file.
    """

    def __init__(self, top: str) -> None:
        self.top = Path(top)
        self.asked: list[str] = []
        self.lie: Lie = lambda _path, data: data
        self.spools = False
        self.stats = FetchStats()
        self.room_at_once = 4
        self._queue: deque[tuple[object, Request]] = deque()

    def submit(self, key: object, request: Request) -> None:
        assert self.room > 0
        self._queue.append((key, request))

    def wait(self, timeout_s: float | None) -> list[tuple[object, Response | FetchError]]:
        done = []
        # Out of order, as networks are.
        for _ in range(min(2, len(self._queue))):
            key, request = self._queue.pop() if len(self._queue) % 2 else self._queue.popleft()
            done.append((key, self._answer(request)))
        return done

    def _answer(self, request: Request) -> Response | FetchError:
        url = request.urls[0]
        path = url.removeprefix(f"{BASE}/")
        self.asked.append(path)
        file = self.top / path
        data = self.lie(path, file.read_bytes() if file.is_file() else None)
        if isinstance(data, FetchError):
            return data
        if data is None:
            return Response(404, url)
        assert len(data) <= request.max_bytes
        self.stats.bytes_received += len(data)
        if not self.spools:
            return Response(200, url, data, size=len(data))
        fd = os.memfd_create("body")
        os.write(fd, data)
        os.lseek(fd, 0, os.SEEK_SET)
        return Response(200, url, spool_fd=fd, size=len(data))

    @property
    def in_flight(self) -> int:
        return len(self._queue)

    @property
    def room(self) -> int:
        return self.room_at_once - len(self._queue)

    def close(self) -> None:
        self._queue.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
