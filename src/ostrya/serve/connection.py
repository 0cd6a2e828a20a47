# SPDX-License-Identifier: Apache-2.0
"""One client: its requests, one after another, and their answers."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from errno import EMFILE, ENFILE, ENOMEM
from http import HTTPStatus
from typing import TYPE_CHECKING

from ostrya import __version__
from ostrya._linux.dirfd import open_file_below
from ostrya.serve.conditions import Extent, Version, choose_extent, http_date
from ostrya.serve.paths import cache_control, path_of
from ostrya.serve.requests import HEAD_END, MAX_HEAD_BYTES, BadRequestError, parse_request
from ostrya.serve.sending import SlowClientError, read_until, send, send_file

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ostrya.serve.requests import HttpRequest

IDLE_S = 60.0
"""How long a connection may wait for its next request."""
HEAD_S = 20.0
"""How long the head of a request may take, from its first byte."""
_SMALL_BYTES = 64 * 1024
_METHODS = ("GET", "HEAD")
_OVERLOADED_ERRNOS = (EMFILE, ENFILE, ENOMEM)
_SERVER = f"ostrya/{__version__}"


class Connection:
    """A client and its thread.

    Attributes:
        idle_since: When it began to wait for a request; 0 while it is answered.
    """

    def __init__(
        self,
        link: socket.socket,
        client: str,
        root_fd: int,
        log: Callable[[str, str, int, int], None] | None,
        below: str = "",
    ) -> None:
        self._link = link
        self._client = client
        self._root_fd = root_fd
        self._log = log
        self._below = below
        self._line = "-"
        self.idle_since = time.monotonic()

    def use(self, link: socket.socket) -> None:
        """Speak through another socket from here on, one with TLS around the first."""
        self._link = link

    def serve(self) -> None:
        """Answer until the client has enough, or we have; the socket stays open."""
        received = b""
        with suppress(OSError):
            while True:
                received = self._read_first(received)
                if not received:
                    return
                self.idle_since = 0.0
                try:
                    goes_on, received = self._answer_next(received)
                except BadRequestError as exc:
                    self._refuse(exc.status, b"", keep_alive=False)
                    return
                if not goes_on:
                    return
                self.idle_since = time.monotonic()

    def _read_first(self, received: bytes) -> bytes:
        """Wait for the first bytes of a request; empty lines before it are passed over."""
        while True:
            received = received.lstrip(b"\r\n")
            if received:
                return received
            self._link.settimeout(IDLE_S)
            received = self._link.recv(MAX_HEAD_BYTES)
            if not received:
                return b""

    def _answer_next(self, received: bytes) -> tuple[bool, bytes]:
        """Answer one request; return whether the connection stays, and what came after it."""
        self._line = "-"
        deadline = time.monotonic() + HEAD_S
        try:
            head, rest = read_until(
                self._link, HEAD_END, received, max_bytes=MAX_HEAD_BYTES, deadline=deadline
            )
        except ValueError:
            raise BadRequestError(431) from None
        except SlowClientError:
            raise BadRequestError(408) from None
        if not head:
            return False, b""
        self._line = head.split(b"\r\n", 1)[0].decode("ascii", "backslashreplace")
        request = parse_request(head)
        if request.method not in _METHODS:
            # What comes next may be the body of a method that has one.
            self._refuse(405, b"Allow: GET, HEAD\r\n", keep_alive=False)
            return False, b""
        return self._answer(request), rest

    def _answer(self, request: HttpRequest) -> bool:
        path = path_of(request.target, self._below)
        if path is None:
            return self._not_found(request)
        try:
            fd = open_file_below(self._root_fd, path)
        except OSError as exc:
            if exc.errno in _OVERLOADED_ERRNOS:
                return self._refuse(503, b"Retry-After: 1\r\n", keep_alive=False)
            return self._not_found(request)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                return self._not_found(request)
            return self._send_file(request, path, fd, status)
        finally:
            os.close(fd)

    def _not_found(self, request: HttpRequest) -> bool:
        return self._refuse(
            404, b"", keep_alive=request.keep_alive, has_body=request.method != "HEAD"
        )

    def _send_file(self, request: HttpRequest, path: str, fd: int, status: os.stat_result) -> bool:
        # With the inode: a file that is replaced within a tick of the clock has another one.
        etag = f'"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}"'
        version = Version(status.st_size, int(status.st_mtime), etag)
        extent = choose_extent(version, request.method, request.fields)
        head = _head(extent.status, keep_alive=request.keep_alive) + (
            f"ETag: {etag}\r\nLast-Modified: {http_date(version.modified)}\r\n"
            f"Cache-Control: {cache_control(path)}\r\nAccept-Ranges: bytes\r\n"
            f"{_body_fields(extent, version)}\r\n"
        ).encode("ascii")
        self._note(extent.status, extent.length)
        if request.method == "HEAD" or not extent.length:
            send(self._link, head)
        elif extent.length <= _SMALL_BYTES:
            body = os.pread(fd, extent.length, extent.start)
            send(self._link, head + body)
            return request.keep_alive and len(body) == extent.length
        else:
            send(self._link, head, more_follows=True)
            return send_file(self._link, fd, extent.start, extent.length) and request.keep_alive
        return request.keep_alive

    def _refuse(
        self, status: int, fields: bytes, *, keep_alive: bool, has_body: bool = True
    ) -> bool:
        page = f"{status} {HTTPStatus(status).phrase}\n".encode("ascii")
        head = _head(status, keep_alive=keep_alive) + fields
        head += b"Cache-Control: no-cache\r\nContent-Type: text/plain\r\n"
        head += b"Content-Length: %d\r\n\r\n" % len(page)
        self._note(status, len(page))
        send(self._link, head + page if has_body else head)
        return keep_alive

    def _note(self, status: int, length: int) -> None:
        if self._log is not None:
            self._log(self._client, self._line, status, length)


def _head(status: int, *, keep_alive: bool) -> bytes:
    connection = "keep-alive" if keep_alive else "close"
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nServer: {_SERVER}\r\n"
        f"Date: {http_date(int(time.time()))}\r\nConnection: {connection}\r\n"
    ).encode("ascii")


def _body_fields(extent: Extent, version: Version) -> str:
    """Return the lines that tell of the body: its kind, its length, and which part it is."""
    if extent.status == 304:
        return ""
    fields = "Content-Type: application/octet-stream\r\nX-Content-Type-Options: nosniff\r\n"
    fields += f"Content-Length: {extent.length}\r\n"
    if extent.status == 206:
        last = extent.start + extent.length - 1
        fields += f"Content-Range: bytes {extent.start}-{last}/{version.size}\r\n"
    elif extent.status == 416:
        fields += f"Content-Range: bytes */{version.size}\r\n"
    return fields
