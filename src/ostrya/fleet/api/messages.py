# SPDX-License-Identifier: Apache-2.0
"""A request as it is read, bounded in size and time; and answers.

Devices get errors as aktualizr knows them, tools as problem details (RFC 9457)::

    {"code": "missing_device", "description": "there is no device x", "errorId": UUID}
    {"type": "about:blank", "title": "Not Found", "status": 404, "detail": …, "code": …}
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qsl

from ostrya.errors import OstryaError
from ostrya.fleet.errors import BadRequest, Refusal, TooLarge, Unavailable
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping

    from ostrya.fleet.certificates import Peer
    from ostrya.fleet.settings import Settings
    from ostrya.uptane.metadata.json_text import Json, Object

    Scope: TypeAlias = MutableMapping[str, object]
    Message: TypeAlias = MutableMapping[str, object]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]

logger = logging.getLogger(__name__)

PEER = "ostrya.peer"
"""Where a connection's certificate is in the scope; only the protocol puts it there."""
GONE = "ostrya.gone"
"""Where the scope has a function that says whether whoever asked has hung up."""
JSON = b"application/json"
PROBLEM = b"application/problem+json"
BYTES = b"application/octet-stream"
_TIMED_OUT = "request_timeout"
Headers: TypeAlias = "tuple[tuple[bytes, bytes], ...]"


class Answer(NamedTuple):
    """What is answered.

    Attributes:
        status: Of HTTP.
        body: All of it.
        kind: Of content; empty for none.
        headers: Others.
    """

    status: int
    body: bytes = b""
    kind: bytes = JSON
    headers: Headers = ()


class Patience(NamedTuple):
    """How long somebody is waited for.

    Attributes:
        timeout_s: For anything.
        slowest_bytes_per_s: And a second more for each so many bytes.
    """

    timeout_s: float
    slowest_bytes_per_s: int = 512

    def for_bytes(self, size: int) -> float:
        """Return in how many seconds so many bytes have to be there."""
        return self.timeout_s + size / self.slowest_bytes_per_s


class Gone(Exception):
    """Whoever asked has hung up."""


class Request:
    """A request.

    Attributes:
        method: Of HTTP.
        path: Below the root, decoded.
        peer: Who the certificate of the connection says that it is.
    """

    __slots__ = (
        "_has_hung_up", "_headers", "_patience", "_query", "_receive", "method", "path", "peer"
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, patience: Patience) -> None:
        self.method = str(scope["method"])
        self.path = str(scope["path"])
        self.peer: Peer | None = scope.get(PEER)  # type: ignore[assignment]  # the protocol's
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]  # type: ignore[assignment]
        self._query: bytes = scope["query_string"]  # type: ignore[assignment]
        self._receive = receive
        self._patience = patience
        self._has_hung_up: Callable[[], bool] | None = scope.get(GONE)  # type: ignore[assignment]

    def is_gone(self) -> bool:
        """Say whether nobody waits for the answer any more."""
        return self._has_hung_up is not None and self._has_hung_up()

    def header(self, name: str) -> str:
        """Return a header; empty for none."""
        wanted = name.encode()
        for key, value in self._headers:
            if key == wanted:
                return value.decode("latin-1")
        return ""

    def query(self) -> dict[str, str]:
        """Return what stands behind the question mark.

        Raises:
            BadRequest: It is no text, or says something twice.
        """
        try:
            pairs = parse_qsl(
                self._query.decode(), keep_blank_values=True, errors="strict", max_num_fields=64
            )
        except ValueError:
            raise BadRequest("the query cannot be read", code="invalid_query") from None
        found = dict(pairs)
        if len(found) != len(pairs):
            raise BadRequest("the query says something twice", code="invalid_query")
        return found

    async def chunks(self, max_bytes: int) -> AsyncIterator[bytes]:
        """Yield the body in pieces.

        Raises:
            TooLarge: It is longer.
            BadRequest: It does not arrive, or not as fast as it has to.
        """
        loop = asyncio.get_running_loop()
        begin = loop.time()
        told = self.header("content-length")
        if told.isdigit() and int(told) > max_bytes:
            raise TooLarge(f"{told} bytes are more than the {max_bytes} that are taken")
        size = 0
        while True:
            try:
                # One time limit for all of it: who sends a byte now and then is not waited for.
                async with asyncio.timeout_at(begin + self._patience.for_bytes(size)):
                    message = await self._receive()
            except TimeoutError:
                raise BadRequest(
                    f"{size} bytes came in {loop.time() - begin:.0f} seconds, and not all of it",
                    code=_TIMED_OUT,
                ) from None
            if message["type"] == "http.disconnect":
                raise Gone
            piece: bytes = message.get("body", b"")  # type: ignore[assignment]  # ASGI has it so
            size += len(piece)
            if size > max_bytes:
                raise TooLarge(f"more than the {max_bytes} bytes that are taken")
            if piece:
                yield piece
            if not message.get("more_body", False):
                return

    async def body(self, max_bytes: int) -> bytes:
        """Return the body.

        Raises:
            TooLarge: It is longer.
            BadRequest: It does not arrive.
        """
        return b"".join([piece async for piece in self.chunks(max_bytes)])


def patience_of(settings: Settings) -> Patience:
    """Return how long the owner of a server wants to wait."""
    server = settings.server
    return Patience(float(server.request_timeout_s), server.slowest_bytes_per_s)


def json_answer(value: Json, status: int = 200, headers: Headers = ()) -> Answer:
    """Return an answer of JSON."""
    return Answer(status, json.dumps(value).encode(), JSON, headers)


def refusal_of(error: BaseException, what: str) -> Refusal:
    """Return what to say of an error."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, OSError):
        logger.error("%s failed: %s", what, error)
        return Unavailable(f"the server cannot read or write what it has to: {error.strerror}")
    if isinstance(error, OstryaError):
        logger.error("%s failed: %s", what, error.message)
        return Unavailable(error.message, hint=error.hint)
    logger.error("%s failed", what, exc_info=error)
    return Unavailable("the server made a mistake, which its log has", code="internal_error")


def device_answer(error: Refusal) -> Answer:
    """Return an error as a device knows it."""
    words = f"{error.message} ({error.hint})" if error.hint else error.message
    value: Object = {"code": error.code, "description": words, "errorId": str(uuid.uuid4())}
    return Answer(error.status, json.dumps(value).encode(), JSON, _end(error))


def problem_answer(error: Refusal) -> Answer:
    """Return an error as problem details."""
    value: Object = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
    if error.hint:
        value["hint"] = error.hint
    headers = _end(error)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers = ((b"www-authenticate", b'Bearer, Basic realm="ostrya"'),)
    return Answer(error.status, json.dumps(value).encode(), PROBLEM, headers)


def _end(error: Refusal) -> Headers:
    """Return what ends a connection on which the rest of a request may still come."""
    is_cut_short = isinstance(error, TooLarge) or error.code == _TIMED_OUT
    return ((b"connection", b"close"),) if is_cut_short else ()


async def send_answer(send: Send, answer: Answer, *, with_body: bool = True) -> None:
    """Send an answer; to a HEAD request without its body."""
    headers = [(b"content-length", str(len(answer.body)).encode()), *answer.headers]
    if answer.kind and (answer.body or not with_body):
        headers.append((b"content-type", answer.kind))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


def text_of(values: Mapping[str, str], name: str, usual: str = "") -> str:
    """Return a value of a query."""
    return values.get(name, usual)


def number_of(values: Mapping[str, str], name: str, usual: int, most: int = (1 << 62)) -> int:
    """Return a number of a query.

    Raises:
        BadRequest: It is none.
    """
    text = values.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > most:
        raise BadRequest(f"{name} is {text[:40]!r}, no number up to {most}", code="invalid_query")
    return int(text)
