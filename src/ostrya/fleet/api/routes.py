# SPDX-License-Identifier: Apache-2.0
"""What the door for tools has: each request described once, for its answer and for OpenAPI.

A `Spec` says which request it is, who may make it, what it carries and what is answered. Starlette
finds it; here it is read and bounded before it gets to its handler, which runs in a thread of its
own and may wait for the database and the disk.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from starlette.applications import Starlette
from starlette.routing import Route

from ostrya.errors import UptaneError
from ostrya.fleet import auth
from ostrya.fleet.api.messages import (
    Answer,
    Gone,
    Request,
    json_answer,
    number_of,
    patience_of,
    problem_answer,
    refusal_of,
    send_answer,
)
from ostrya.fleet.errors import BadRequest, NotFound, WrongMethod
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp

    from ostrya.fleet.api.messages import Receive, Scope, Send
    from ostrya.fleet.auth import Caller
    from ostrya.fleet.domain.services import Services
    from ostrya.uptane.metadata.json_text import Json, Object

CALLER = "ostrya.caller"
"""Where the owner is in the scope, on the socket that only the owner may open."""
MAX_PAGE = 1000


class Call(NamedTuple):
    """A request that was read.

    Attributes:
        services: The server.
        caller: Who is asking.
        path: Parts of the path, by name.
        query: What stands behind the question mark.
        body: What it carries; None for nothing.
    """

    services: Services
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Object | None

    def fields(self) -> Fields:
        """Return the fields of what it carries."""
        return Fields(self.body if self.body is not None else {}, "the request")

    @property
    def limit(self) -> int:
        """How many of a list are wanted."""
        return max(number_of(self.query, "limit", 100, MAX_PAGE), 1)


Handler: TypeAlias = "Callable[[Call], Json | Answer]"


class Parameter(NamedTuple):
    """Something behind the question mark.

    Attributes:
        name: Its name.
        help: What it is, in words.
        is_number: Whether it is a number.
    """

    name: str
    help: str
    is_number: bool = False


class Spec(NamedTuple):
    """A request that is answered.

    Attributes:
        method: Of HTTP.
        path: Starlette's pattern, below the API.
        name: Of the operation, unique.
        help: What it does, in one sentence.
        handler: Does it.
        answer: Name of the schema of what is answered; empty for nothing.
        body: Schema of what it carries; None for nothing.
        query: What may stand behind the question mark.
        status: Of the answer.
        right: Whose it is.
    """

    method: str
    path: str
    name: str
    help: str
    handler: Handler
    answer: str = ""
    body: Object | None = None
    query: tuple[Parameter, ...] = ()
    status: int = 200
    right: str = auth.ADMIN


PREFIX = "/api/v1"


def application(services: Services, specs: Iterable[Spec]) -> ASGIApp:
    """Return the application that answers all of some requests, and no others."""
    by_path: dict[str, dict[str, Spec]] = {}
    for spec in specs:
        by_path.setdefault(f"{PREFIX}{spec.path}", {})[spec.method] = spec
    routes = [Route(path, _Endpoint(services, found)) for path, found in by_path.items()]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    app.router.default = _nothing
    return app.router


async def _nothing(scope: Scope, _receive: Receive, send: Send) -> None:
    error = NotFound(f"there is nothing at {str(scope['path'])[:200]}")
    await send_answer(send, problem_answer(error))


class _Endpoint:
    """Answers the requests of one path."""

    def __init__(self, services: Services, specs: Mapping[str, Spec]) -> None:
        self._services = services
        self._specs = specs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, patience_of(self._services.settings))
        try:
            answer = await self._answer(scope, request)
        except Gone:
            return
        except Exception as exc:  # noqa: BLE001  # whatever it is, somebody waits for an answer
            refusal = refusal_of(exc, f"{request.method} {request.path[:200]}")
            answer = problem_answer(refusal)
        await send_answer(send, answer, with_body=request.method != "HEAD")

    async def _answer(self, scope: Scope, request: Request) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        spec = self._specs.get(method)
        if spec is None:
            raise WrongMethod(f"{request.path[:200]} takes {', '.join(self._specs)}")
        caller = await caller_of(self._services, scope, request)
        auth.require(caller, spec.right)
        query = request.query()
        known = {one.name for one in spec.query}
        for name in query:
            if name not in known:
                raise BadRequest(f"{name[:80]!r} is not known here", code="invalid_query")
        limit = self._services.settings.limits.request_bytes
        body = read_object(await request.body(limit), limit) if spec.body is not None else None
        path: Mapping[str, str] = scope.get("path_params", {})  # type: ignore[assignment]
        call = Call(self._services, caller, path, query, body)
        found = await asyncio.to_thread(_run, spec.handler, call)
        if isinstance(found, Answer):
            return found
        return json_answer(found, spec.status) if spec.answer else Answer(204, b"", b"")


def _run(handler: Handler, call: Call) -> Json | Answer:
    try:
        return handler(call)
    except UptaneError as exc:
        raise BadRequest(exc.message, code="invalid_request", hint=exc.hint) from exc


async def caller_of(services: Services, scope: Scope, request: Request) -> Caller:
    """Return who is asking.

    Raises:
        NotWelcome: It does not say who it is.
        Forbidden: It may not come by this door.
    """
    owner = scope.get(CALLER)
    if isinstance(owner, auth.Caller):
        return owner
    authorization = request.header("authorization")
    services.registry.notice()
    return await asyncio.to_thread(
        auth.caller_of, services.fleet, services.registry, request.peer, authorization
    )


def read_object(data: bytes, max_bytes: int) -> Object:
    """Read an object of JSON; nothing counts as an empty one.

    Raises:
        BadRequest: It is none.
    """
    try:
        value = parse_json(data, max_bytes, "the request") if data else {}
    except UptaneError as exc:
        raise BadRequest(exc.message, code="invalid_request") from exc
    if not isinstance(value, dict):
        raise BadRequest("the request is no object", code="invalid_request")
    return value


def text(fields: Fields, name: str, usual: str | None = None, most: int = 500) -> str:
    """Take text.

    Raises:
        BadRequest: It is missing, too long, or has characters that are no text.
    """
    if usual is not None and not fields.has(name):
        return usual
    value = fields.text(name)
    if len(value) > most or "\0" in value:
        raise BadRequest(f"{name!r} is longer than {most} characters, or no plain text")
    return value


def texts(fields: Fields, name: str, most: int = 10_000) -> tuple[str, ...]:
    """Take a list of texts; empty if it is missing."""
    return fields.texts(name, most) if fields.has(name) else ()


def number(fields: Fields, name: str, usual: int) -> int:
    """Take a number."""
    return fields.integer(name, 0, 1 << 53) if fields.has(name) else usual


def done(fields: Fields) -> None:
    """Refuse fields that nobody took.

    Raises:
        BadRequest: There are some.
    """
    for name in fields.rest():
        raise BadRequest(
            f"the request has {name[:80]!r}, which is not known", code="invalid_request"
        )


def following(found: tuple[object, ...], limit: int, last: str) -> str | None:
    """Return what `after` of the request for more is; None at the end."""
    return last if len(found) == limit else None
