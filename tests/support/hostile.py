# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that does what servers must not: it drops, cuts, lies, bombs, dawdles and redirects.

It serves the files of a directory, or a dictionary of bodies, correctly until a rule says otherwise::

    with HostileServer({"/a": b"x"}) as server:
        server.rule(drop_every(3))
        server.rule(lambda asked: Answer(500) if asked.path == "/a" else None)

A rule gets each request and returns what to do, or None to leave it to the next rule; the last rule
comes first. No rule decides by time or by chance, so that a test does the same each time.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import unquote

REASONS = {200: "OK", 206: "Partial Content", 302: "Found", 304: "Not Modified", 404: "Not Found"}
_MAX_HEAD = 64 * 1024
_PIECE = 16 * 1024


@dataclass(frozen=True)
class Asked:
    """A request.

    ``count`` numbers the requests of the server from 1, ``visit`` those for this path.
    """

    method: str
    path: str
    headers: dict[str, str]
    count: int
    visit: int

    @property
    def first_byte(self) -> int:
        """The first byte that a Range asks for; 0 without one."""
        match = re.match(r"bytes=([0-9]+)-", self.headers.get("range", ""))
        return int(match[1]) if match else 0


@dataclass(frozen=True)
class Answer:
    """An answer, true or false.

    ``length`` is what Content-Length says: the truth by default, None for no such line. After
    ``cut_after`` bytes of the body the connection ends. With ``then_hang``, it stays open in silence.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | str | None = "true"
    cut_after: int | None = None
    then_hang: bool = False


@dataclass(frozen=True)
class Drop:
    """End the connection without a word."""


@dataclass(frozen=True)
class Raw:
    """Send these bytes and end the connection."""

    data: bytes


Action = Answer | Drop | Raw
Rule = Callable[[Asked], Action | None]


class HostileServer:
    """The server, on a port of its own on the loopback address."""

    def __init__(self, content: Path | dict[str, bytes] | None = None) -> None:
        self._content = content if content is not None else {}
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._visits: dict[str, int] = {}
        self._open: set[socket.socket] = set()
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []
        self.asked: list[Asked] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def rule(self, rule: Rule) -> None:
        """Add a rule, before those there are."""
        self._rules.insert(0, rule)

    def forget(self) -> None:
        """Drop all rules, and what was asked and counted so far."""
        self._rules.clear()
        with self._lock:
            self.connections = 0
            self._visits.clear()
            self.asked.clear()

    def paths(self) -> list[str]:
        """What was asked for so far."""
        return [asked.path for asked in self.asked]

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end.set()
        # Closing alone does not wake a thread that waits in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._end.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._end.is_set():
                    connection.close()
                    return
                self._open.add(connection)
                self.connections += 1
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while (asked := self._read_request(connection)) is not None:
                    if not self._act(connection, asked):
                        return
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _read_request(self, connection: socket.socket) -> Asked | None:
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(_PIECE)
            if not more or len(head) > _MAX_HEAD:
                return None
            head += more
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.lower()] = value.strip()
        with self._lock:
            self._visits[path] = self._visits.get(path, 0) + 1
            asked = Asked(method, path, headers, len(self.asked) + 1, self._visits[path])
            self.asked.append(asked)
        return asked

    def _act(self, connection: socket.socket, asked: Asked) -> bool:
        """Answer; say whether the connection may stay."""
        action = next((a for rule in self._rules if (a := rule(asked)) is not None), None)
        action = action or self.honest(asked)
        if isinstance(action, Drop):
            # With a reset, so that the client's side cannot take it for an end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if isinstance(action, Raw):
            connection.sendall(action.data)
            return False
        return self._send(connection, asked, action)

    def _send(self, connection: socket.socket, asked: Asked, answer: Answer) -> bool:
        head = f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Whatever')}\r\n"
        length = answer.length
        if length == "true":
            length = len(answer.body) if isinstance(answer.body, bytes) else None
        chunked = length is None and not isinstance(answer.body, bytes)
        lines = dict(answer.headers)
        if length is not None and answer.status != 304:
            lines["Content-Length"] = str(length)
        elif chunked:
            lines["Transfer-Encoding"] = "chunked"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection.sendall(head.encode("latin-1") + b"\r\n")
        if asked.method == "HEAD" or answer.status == 304:
            return True
        whole = self._send_body(connection, answer, chunked=chunked)
        if answer.then_hang:
            self._end.wait()
        if not whole or answer.then_hang:
            return False
        if chunked:
            connection.sendall(b"0\r\n\r\n")
        return length is not None or chunked

    def _send_body(self, connection: socket.socket, answer: Answer, *, chunked: bool) -> bool:
        """Send the body up to where it is cut; say whether it is not."""
        left = answer.cut_after
        for piece in [answer.body] if isinstance(answer.body, bytes) else answer.body:
            part = piece if left is None else piece[:left]
            connection.sendall(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
            if left is not None:
                left -= len(part)
                if left <= 0:
                    break
        return left is None

    def body_of(self, path: str) -> bytes | None:
        """What is there in truth."""
        path = unquote(path.partition("?")[0])
        if isinstance(self._content, dict):
            return self._content.get(path)
        file = self._content / path.lstrip("/")
        return file.read_bytes() if file.is_file() else None

    def honest(self, asked: Asked) -> Answer:
        """The true answer, ranges and tags included."""
        body = self.body_of(asked.path)
        if body is None:
            return Answer(404, b"no such thing\n")
        tag = f'"{len(body):x}-{sum(body[:4096]):x}"'
        headers = {"ETag": tag, "Last-Modified": "Sat, 01 Aug 2026 12:00:00 GMT"}
        if asked.headers.get("if-none-match") == tag:
            return Answer(304, headers=headers)
        start = asked.first_byte
        if start and asked.headers.get("if-range", tag) == tag:
            if start >= len(body):
                return Answer(416, headers={"Content-Range": f"bytes */{len(body)}"})
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            return Answer(206, body[start:], headers)
        return Answer(200, body, headers)


def drop_every(number: int) -> Rule:
    """Drop the connection at every ``number``-th request."""
    return lambda asked: Drop() if asked.count % number == 0 else None


def at_first(visits: int, action: Action, path: str | None = None) -> Rule:
    """Do this at the first visits of each path, or of one."""
    return lambda asked: action if asked.visit <= visits and path in {None, asked.path} else None


def always(action: Action, path: str | None = None) -> Rule:
    """Do this each time."""
    return lambda asked: action if path in {None, asked.path} else None


def truncate_bodies(server: HostileServer, after: int, *, visits: int) -> Rule:
    """Cut the first answers for each path after so many bytes of the body."""

    def rule(asked: Asked) -> Action | None:
        true = server.honest(asked)
        if asked.visit > visits or not isinstance(true.body, bytes) or len(true.body) <= after:
            return None
        return Answer(true.status, true.body, true.headers, cut_after=after)

    return rule


def redirect_circle(start: str, other: str) -> Rule:
    """Send clients from one path to the other and back."""
    where = {start: other, other: start}
    return lambda asked: (
        Answer(302, headers={"Location": where[asked.path]}) if asked.path in where else None
    )


def endless() -> Iterator[bytes]:
    """A body that does not end by itself."""
    while True:
        yield b"\0" * _PIECE


def gzip_bomb(content_bytes: int) -> Answer:
    """A short body that becomes a long one."""
    return Answer(200, gzip.compress(b"\0" * content_bytes), {"Content-Encoding": "gzip"})
