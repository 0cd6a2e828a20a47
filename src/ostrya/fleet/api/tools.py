# SPDX-License-Identifier: Apache-2.0
"""The door for tools: what they push, and below it the API.

::

    GET  /openapi.json
    POST /oauth2/token                 a pass for a tool's secret
    GET  /health, /metrics             for who watches the server
    …    /api/v1/…                     see `ostrya.fleet.api.openapi`
    …    /treehub/…                    objects, refs, deltas, as garage-push and `ostrya push` do it
    GET  /api/v1/user_repo/….json      metadata, as devices get it
    PUT  /api/v1/user_repo/targets     signed Targets; x-ats-role-checksum: those they come after
    PUT  /api/v1/user_repo/root        a signed root
    PUT  /api/v1/user_repo/delegations/NAME.json
    POST /api/v1/user_repo/publish     all of these at once: {"roots", "targets", "delegations"}
    PUT  /api/v1/user_repo/targets/NAME   an image that is a file; ?hardwareIds= publishes it too

Source: ota-tuf's and treehub's APIs.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from typing import TYPE_CHECKING, TypeAlias

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir
from ostrya.fleet import auth
from ostrya.fleet.api import oauth, watching
from ostrya.fleet.api.downloads import send_file
from ostrya.fleet.api.gateway import open_image
from ostrya.fleet.api.messages import (
    Answer,
    Gone,
    Request,
    json_answer,
    patience_of,
    problem_answer,
    refusal_of,
    send_answer,
)
from ostrya.fleet.api.multipart import boundary_in, file_of
from ostrya.fleet.api.openapi import SPECS, document
from ostrya.fleet.api.routes import CALLER, application, caller_of, read_object
from ostrya.fleet.domain.image_repository import Pushed
from ostrya.fleet.domain.uploads import Upload
from ostrya.fleet.errors import BadRequest, Conflict, NotFound, WrongMethod
from ostrya.uptane.author.images import About
from ostrya.uptane.metadata.canonical_json import ascii_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.fleet.api.messages import Receive, Scope, Send
    from ostrya.fleet.domain.services import Services
    from ostrya.fleet.domain.treehub import Spool
    from ostrya.uptane.metadata.json_text import Json

    App: TypeAlias = "Callable[[Scope, Receive, Send], object]"

CHECKSUM, FORCE = "x-ats-role-checksum", "x-ats-ostree-force"
_REPO = "/api/v1/user_repo/"
_TREEHUB = "/treehub/"
# Who asks for these need not have shown who it is.
_WATCHED = frozenset({watching.HEALTH, watching.METRICS})
_OPEN = frozenset({"/openapi.json", oauth.PATH, *_WATCHED})
_MANIFEST = re.compile(r"manifests/([0-9a-f]{64})")
_FILE = re.compile(r"(?:delegations/)?[^/.][^/]{0,300}\.json")
_READS = frozenset({"GET", "HEAD"})
_WRITES = frozenset({"PUT", "POST"})


class Tools:
    """The application behind the door for tools."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._limits = services.settings.limits
        self._api = application(services, SPECS)
        self._description = json.dumps(document()).encode()
        self._patience = patience_of(services.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = str(scope["path"])
        if not path.startswith((_REPO, _TREEHUB)) and path not in _OPEN:
            await self._api(scope, receive, send)
            return
        request = Request(scope, receive, self._patience)
        try:
            answer = await self._answer(scope, request, path, send)
        except Gone:
            return
        except Exception as exc:  # noqa: BLE001  # whatever it is, somebody waits for an answer
            answer = problem_answer(refusal_of(exc, f"{request.method} {path[:200]}"))
        if answer is not None:
            await send_answer(send, answer, with_body=request.method != "HEAD")

    async def _answer(self, scope: Scope, request: Request, path: str, send: Send) -> Answer | None:
        if path == "/openapi.json":
            if request.method not in _READS:
                raise WrongMethod(f"{path} can only be read")
            return Answer(200, self._description)
        if path == oauth.PATH:
            return await oauth.answer(self._services, request)
        if path in _WATCHED:
            return await self._watch(scope, request, path)
        auth.require(await caller_of(self._services, scope, request), auth.PUSH)
        if path.startswith(_TREEHUB):
            return await self._treehub(request, path.removeprefix(_TREEHUB), send)
        return await self._repository(request, path.removeprefix(_REPO), send)

    async def _watch(self, scope: Scope, request: Request, path: str) -> Answer:
        if request.method not in _READS:
            raise WrongMethod(f"{path} can only be read")
        if path == watching.HEALTH:
            return await asyncio.to_thread(watching.health, self._services)
        auth.require(await caller_of(self._services, scope, request), auth.WATCH)
        return await asyncio.to_thread(watching.metrics, self._services)

    # --------------------------------------------------------------------------- treehub

    async def _treehub(self, request: Request, path: str, send: Send) -> Answer | None:
        treehub = self._services.treehub
        if _MANIFEST.fullmatch(path):
            return await self._repo_manifest(request, path)
        if request.method in _READS:
            await send_file(send, request, treehub.open(path))
            return None
        if request.method not in _WRITES:
            raise WrongMethod(f"{path[:200]} takes GET, HEAD, POST and PUT")
        if path.startswith("refs/heads/"):
            body = await request.body(self._limits.request_bytes)
            force = request.header(FORCE).lower() == "true"
            ref = path.removeprefix("refs/heads/")
            await asyncio.to_thread(treehub.write_ref, ref, body, force=force)
            return json_answer({})
        spool = treehub.spool()
        try:
            await self._gather(request, spool)
            if path.startswith("objects/"):
                replace = request.method == "PUT"
                await asyncio.to_thread(treehub.put, path, spool, replace=replace)
            else:
                await asyncio.to_thread(treehub.put_delta, path, spool)
        finally:
            spool.close()
        return Answer(204, b"", b"")

    async def _gather(self, request: Request, spool: Spool) -> None:
        pieces = request.chunks(self._limits.object_bytes)
        boundary = boundary_in(request.header("content-type"))
        async for piece in file_of(pieces, boundary) if boundary else pieces:
            spool.write(piece)

    async def _repo_manifest(self, request: Request, path: str) -> Answer:
        folder = self._services.settings.path("manifests")
        name = f"{path.removeprefix('manifests/')}.json"
        if request.method in _READS:
            try:
                with open(os.path.join(folder, name), "rb") as stream:
                    return Answer(200, stream.read())
            except FileNotFoundError:
                raise NotFound(f"there is no {path}", code="missing_entity") from None
        body = await request.body(self._limits.request_bytes)
        read_object(body, self._limits.request_bytes)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        dir_fd = open_dir(folder, follow=True)
        try:
            replace_file(name, body, dir_fd=dir_fd, mode=0o600)
        finally:
            os.close(dir_fd)
        return Answer(204, b"", b"")

    # ------------------------------------------------------------------ Image repository

    async def _repository(self, request: Request, path: str, send: Send) -> Answer | None:
        if path.startswith("targets/"):
            name = path.removeprefix("targets/")
            if request.method in _READS:
                await send_file(send, request, open_image(self._services, name))
                return None
            return await self._upload(request, name)
        if request.method in _READS:
            return self._metadata(path)
        if request.method not in _WRITES:
            raise WrongMethod(f"{path[:200]} takes GET, PUT and POST")
        body = await request.body(self._limits.metadata_bytes)
        pushed = read_pushed(path, body, self._limits.metadata_bytes, request.header(CHECKSUM))
        now = self._services.fleet.now()
        images = self._services.images
        written = await asyncio.to_thread(images.push, pushed, now)
        checksum = images.checksum().encode()
        return json_answer({"files": list(written)}, 200, ((CHECKSUM.encode(), checksum),))

    def _metadata(self, path: str) -> Answer:
        images = self._services.images
        data = images.read(path) if _FILE.fullmatch(path) else None
        if data is None:
            raise NotFound(f"the Image repository has no {path[:200]}", code="missing_entity")
        headers: tuple[tuple[bytes, bytes], ...] = ()
        if path == "targets.json":
            headers = ((CHECKSUM.encode(), images.checksum().encode()),)
        return Answer(200, data, headers=headers)

    async def _upload(self, request: Request, name: str) -> Answer:
        if request.method not in _WRITES:
            raise WrongMethod(f"{name[:200]} takes GET, HEAD and PUT")
        told = request.query()
        images = self._services.images
        upload = Upload(images, name)
        try:
            async for piece in request.chunks(self._limits.image_bytes):
                upload.write(piece)
            await asyncio.to_thread(upload.keep)
        finally:
            upload.close()
        if "hardwareIds" in told:
            about = About(
                tuple(filter(None, told["hardwareIds"].split(","))),
                told.get("name", ""),
                told.get("version", ""),
            )
            if name in images.all_images():
                raise Conflict(f"{name} is published already", code="target_exists")
            now = self._services.fleet.now()
            await asyncio.to_thread(images.add, name, upload.path, about, now, is_commit=False)
        return json_answer({"name": name, "length": upload.size, "sha256": upload.sha256})


def read_pushed(path: str, body: bytes, max_bytes: int, expected: str) -> Pushed:
    """Return what somebody pushes to an address.

    Raises:
        NotFound: Nothing is pushed there.
        BadRequest: It is not what it has to be.
    """
    if path in {"targets", "targets.json"}:
        return Pushed(targets=body, expected=expected)
    if path in {"root", "root.json"}:
        return Pushed(roots=(body,))
    if path.startswith("delegations/") and _FILE.fullmatch(path):
        role = path.removeprefix("delegations/").removesuffix(".json")
        return Pushed(delegations={role: body})
    if path != "publish":
        raise NotFound(f"nothing is pushed to {path[:200]}")
    value = read_object(body, max_bytes)
    roots, targets = value.get("roots", []), value.get("targets")
    delegations = value.get("delegations", {})
    if not isinstance(roots, list) or not isinstance(delegations, dict):
        raise BadRequest("it is not said what is to be published", code="invalid_request")
    return Pushed(
        tuple(_bytes(one) for one in roots),
        _bytes(targets) if targets is not None else b"",
        {role: _bytes(one) for role, one in delegations.items()},
        expected,
    )


def _bytes(value: Json) -> bytes:
    return ascii_bytes(value)


class OwnersDoor:
    """The door in the server's folder: whoever may open it is the owner."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope[CALLER] = auth.OWNER
        await self._tools(scope, receive, send)
