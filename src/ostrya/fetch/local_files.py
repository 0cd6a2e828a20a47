# SPDX-License-Identifier: Apache-2.0
"""``file://``: files of this machine, as if a server had them.

A body that is too long for memory is not copied: its descriptor is the file's own, open to read.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from errno import ENAMETOOLONG, ENOENT, ENOTDIR
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote_to_bytes

from ostrya.errors import FetchError
from ostrya.fetch.addresses import parse_address
from ostrya.fetch.errors import AddressError, BadAnswer, BodyTooLarge, TransferError
from ostrya.fetch.fetcher import MEMORY_BODY_BYTES, FetchStats, Response

if TYPE_CHECKING:
    from types import TracebackType

    from ostrya.fetch.fetcher import Completion, Request

_AT_ONCE = 16
_ABSENT_ERRNOS = (ENOENT, ENOTDIR, ENAMETOOLONG)
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


class LocalFetcher:
    """A ``Fetcher`` for ``file:``.

    Attributes:
        stats: What it has done so far.
    """

    def __init__(self) -> None:
        self.stats = FetchStats()
        self._queue: deque[tuple[object, Request]] = deque()

    @property
    def in_flight(self) -> int:
        """How many requests were submitted and not yet returned."""
        return len(self._queue)

    @property
    def room(self) -> int:
        """How many more requests it wants now."""
        return max(0, _AT_ONCE - len(self._queue))

    def submit(self, key: object, request: Request) -> None:
        """Take a request; its completion comes out of ``wait`` under ``key``."""
        self._queue.append((key, request))

    def wait(self, timeout_s: float | None) -> list[Completion]:  # noqa: ARG002  # files are there
        """Read some of the files that were asked for."""
        done: list[Completion] = []
        for _ in range(min(_AT_ONCE, len(self._queue))):
            key, request = self._queue.popleft()
            done.append((key, self._fetch(request)))
        return done

    def _fetch(self, request: Request) -> Response | FetchError:
        """Take the first alternative that is there."""
        answer: Response | FetchError = AddressError("There is no URL to fetch from")
        absent = None
        for url in request.urls:
            self.stats.requests += 1
            try:
                answer = _open(url, request)
            except FetchError as exc:
                answer = exc
                continue
            if not answer.is_absent:
                self.stats.bytes_received += answer.size
                return answer
            absent = answer
        return absent or answer

    def close(self) -> None:
        """Drop everything that is under way."""
        self._queue.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def local_path(url: str) -> bytes:
    """Return the path that a ``file:`` URL names.

    Raises:
        AddressError: It names none on this machine.
    """
    address = parse_address(url)
    if address.scheme != "file" or address.host not in {"", "localhost"}:
        raise AddressError(f"Cannot fetch {address.url}: not a file of this machine")
    path = unquote_to_bytes(address.url.removeprefix(f"file://{address.host}").partition("?")[0])
    if b"\0" in path or not path.startswith(b"/"):
        raise AddressError(f"Invalid URI {address.url!r}")
    return path


def _open(url: str, request: Request) -> Response:
    path = local_path(url)
    try:
        fd = os.open(path, _FLAGS)
    except OSError as exc:
        if exc.errno in _ABSENT_ERRNOS:
            return Response(404, url)
        raise TransferError(url, exc.strerror or str(exc)) from exc
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise BadAnswer(url, "not a regular file")
        answer = _answer(fd, status, url, request)
    except OSError as exc:
        os.close(fd)
        raise TransferError(url, exc.strerror or str(exc)) from exc
    except BaseException:
        os.close(fd)
        raise
    if answer.spool_fd != fd:
        os.close(fd)
    return answer


def _answer(fd: int, status: os.stat_result, url: str, request: Request) -> Response:
    etag = f'"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}"'
    modified = int(status.st_mtime)
    since = request.last_modified
    if request.etag is not None:
        is_same = request.etag == etag
    else:
        is_same = since is not None and modified <= since
    if is_same:
        return Response(304, url, etag=etag, last_modified=modified)
    offset = min(request.offset, status.st_size)
    size = status.st_size - offset
    if size > request.max_bytes:
        raise BodyTooLarge(url, request.max_bytes)
    code = 206 if offset else 200
    if request.spool or size > MEMORY_BODY_BYTES:
        os.lseek(fd, offset, os.SEEK_SET)
        return Response(code, url, b"", fd, size, etag, modified)
    body = _read(fd, offset, size)
    if len(body) != size:
        raise TransferError(url, "the file became shorter while it was read")
    return Response(code, url, body, -1, size, etag, modified)


def _read(fd: int, offset: int, size: int) -> bytes:
    parts = []
    while size and (part := os.pread(fd, size, offset)):
        parts.append(part)
        offset += len(part)
        size -= len(part)
    return b"".join(parts)
