# SPDX-License-Identifier: Apache-2.0
"""The door for devices: the addresses that aktualizr knows, each with and without a slash behind.

::

    POST /devices                                   with the shared credentials only
    POST /director/ecus         PUT /director/manifest
    GET  /director/{N.root,root,timestamp,snapshot,targets}.json
    GET  /repo/….json           GET /repo/targets/NAME      GET /treehub/…
    PUT  /core/installed        PUT /system_info            PUT /system_info/network
    POST /system_info/config    POST /events                GET /campaigner/campaigns

What is the same for a device as the last time is answered from memory.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from ostrya.errors import OstryaError, UptaneError
from ostrya.fleet import auth
from ostrya.fleet.api.downloads import send_file
from ostrya.fleet.api.messages import (
    BYTES,
    Answer,
    Gone,
    Request,
    device_answer,
    json_answer,
    patience_of,
    refusal_of,
    send_answer,
)
from ostrya.fleet.db import devices as rows
from ostrya.fleet.db import log
from ostrya.fleet.domain import campaigns, device_data, devices, events, manifests, registration
from ostrya.fleet.domain.turned_away import TurnedAway, tell
from ostrya.fleet.errors import BadRequest, NotFound, Refusal, WrongMethod
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.file_names import TIMESTAMP_FILE
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.steps import Repository

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ostrya.fleet.api.messages import Receive, Scope, Send
    from ostrya.fleet.domain.registry import Registry, Vehicle
    from ostrya.fleet.domain.services import Services

    Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]

logger = logging.getLogger(__name__)

_ROOT = re.compile(r"([1-9][0-9]{0,8})\.root\.json")
_DIRECTOR_FILES = frozenset({"timestamp.json", "snapshot.json", "targets.json"})
_REPO_FILE = re.compile(r"(?:delegations/)?[^/]{1,300}\.json")
_USUAL_DAYS = 36000
_MAX_DAYS = 36500
_LOGGED = frozenset({"report_counter_reused", "signature_not_valid", "ecus_do_not_match"})
DONE = json_answer({})


class Gateway:
    """The application behind the door for devices."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._limits = services.settings.limits
        self._patience = patience_of(services.settings)
        self._turned_away = TurnedAway()
        self._exact: dict[str, dict[str, Handler]] = {
            "/devices": {"POST": self._provision},
            "/director/ecus": {"POST": self._register_ecus},
            "/director/manifest": {"PUT": self._take_manifest},
            "/core/installed": {"PUT": self._device_data(device_data.PACKAGES)},
            "/system_info": {"PUT": self._device_data(device_data.HARDWARE)},
            "/system_info/network": {"PUT": self._device_data(device_data.NETWORK)},
            "/system_info/config": {"POST": self._device_data(device_data.CONFIG)},
            "/events": {"POST": self._take_events},
            "/campaigner/campaigns": {"GET": self._campaigns},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive, self._patience)
        try:
            await self._answer(request, send)
        except Gone:
            return
        except Exception as exc:  # noqa: BLE001  # whatever it is, somebody waits for an answer
            refusal = refusal_of(exc, f"{request.method} {request.path[:200]}")
            if request.peer is not None:
                await self._tell_turned_away(request.peer.name, "certificate_revoked", refusal)
            await send_answer(send, device_answer(refusal), with_body=request.method != "HEAD")

    async def _answer(self, request: Request, send: Send) -> None:
        path = request.path
        if path.endswith("/") and len(path) > 1:
            path = path[:-1]
        exact = self._exact.get(path)
        if exact is not None:
            handler = exact.get(request.method)
            if handler is None:
                raise WrongMethod(f"{path} takes {', '.join(exact)}")
            await send_answer(send, await handler(request))
            return
        _, _, rest = path.partition("/")
        place, _, name = rest.partition("/")
        if place not in {"director", "repo", "treehub"} or not name:
            raise NotFound(f"there is nothing at {path[:200]}")
        if request.method not in {"GET", "HEAD"}:
            auth.device_of(self._registry(), request.peer)
            raise WrongMethod(f"{path[:200]} can only be read by devices")
        if place == "director":
            answer = await self._director_file(request, name)
        elif place == "treehub":
            auth.device_of(self._registry(), request.peer)
            await send_file(send, request, self._services.treehub.open(name))
            return
        elif name.startswith("targets/"):
            await self._send_image(request, name.removeprefix("targets/"), send)
            return
        else:
            answer = await self._repo_file(request, name)
        await send_answer(send, answer, with_body=request.method != "HEAD")

    # ---------------------------------------------------------------------- who is asking

    def _registry(self) -> Registry:
        """Return what is remembered, after a look at what has changed."""
        registry = self._services.registry
        registry.notice()
        return registry

    async def _vehicle(self, request: Request) -> Vehicle:
        registry = self._registry()
        device_id = auth.device_of(registry, request.peer)
        found = registry.peek(device_id)
        if found is None:
            found = await asyncio.to_thread(registry.load, device_id)
        if found is None:
            raise NotFound(f"there is no device {device_id}", code="missing_device")
        return found

    def _device(self, request: Request) -> str:
        return auth.device_of(self._registry(), request.peer)

    # ------------------------------------------------------------------------- registering

    async def _provision(self, request: Request) -> Answer:
        auth.require_provisioning(self._registry(), request.peer)
        data = await request.body(self._limits.request_bytes)
        device_id, days, claim = _read_wish(data, self._limits.request_bytes)
        fleet = self._services.fleet
        try:
            p12 = await asyncio.to_thread(devices.provision_itself, fleet, device_id, days, claim)
        except Refusal as exc:
            await self._tell_turned_away(device_id, "device_already_registered", exc)
            raise
        logger.info("a device was registered id=%s", device_id)
        return Answer(200, p12, BYTES)

    async def _register_ecus(self, request: Request) -> Answer:
        device_id = self._device(request)
        settings = self._services.settings.devices
        data = await request.body(self._limits.request_bytes)
        wanted = registration.read(data, self._limits.request_bytes, settings.max_ecus)
        now = self._services.fleet.timestamp()
        registering = self._services.fleet.database.submit(
            lambda connection: registration.register(connection, device_id, wanted, settings, now)
        )
        try:
            changed = await asyncio.wrap_future(registering)
        except Refusal as exc:
            await self._tell_turned_away(device_id, "ecu_already_registered", exc)
            raise
        return json_answer({}, 201 if changed else 200)

    # --------------------------------------------------------------------------- reporting

    async def _take_manifest(self, request: Request) -> Answer:
        auth.device_of(self._registry(), request.peer)
        data = await request.body(self._limits.manifest_bytes)
        vehicle = await self._vehicle(request)
        now = self._services.fleet.timestamp()
        database = self._services.fleet.database
        try:
            accepted = manifests.check(vehicle, data, now)
        except Refusal as exc:
            if exc.code in _LOGGED:
                await self._log_refusal(vehicle.id, exc, now)
            raise
        if accepted.is_new:
            await asyncio.wrap_future(
                database.submit(
                    lambda connection: manifests.record(connection, vehicle.id, accepted, now)
                )
            )
            self._services.registry.forget(vehicle.id)
        else:
            await asyncio.wrap_future(database.submit_item(rows.note_contacts, accepted.contact))
            vehicle.last_seen = now
        return DONE

    async def _log_refusal(self, device_id: str, exc: Refusal, now: int) -> None:
        logger.warning("a manifest was refused device=%s why=%s", device_id, exc.message)
        facts = {"code": exc.code, "description": exc.message}
        event = manifests.own_event(device_id, manifests.REFUSED_EVENT, facts, now)
        await asyncio.wrap_future(
            self._services.fleet.database.submit(
                lambda connection: log.add_events(connection, [event])
            )
        )

    async def _tell_turned_away(self, device_id: str, code: str, refusal: Refusal) -> None:
        now = self._services.fleet.timestamp()
        if refusal.code != code or not self._turned_away.is_news(device_id, code, now):
            return
        logger.warning("a device was turned away device=%s why=%s", device_id, refusal.message)
        try:
            await asyncio.wrap_future(
                self._services.fleet.database.submit(
                    lambda connection: tell(connection, device_id, refusal, now)
                )
            )
        except (OSError, OstryaError) as exc:
            # It is refused all the same, with the reason that counts.
            logger.warning("an event was not kept device=%s error=%s", device_id, exc)

    async def _take_events(self, request: Request) -> Answer:
        device_id = self._device(request)
        limit = self._limits.events_bytes
        told = events.read(await request.body(limit), limit)
        images = self._services.images.all_images()
        now = self._services.fleet.timestamp()
        await asyncio.wrap_future(
            self._services.fleet.database.submit(
                lambda connection: events.take(connection, device_id, told, images, now)
            )
        )
        return DONE

    def _device_data(self, kind: str) -> Handler:
        async def take(request: Request) -> Answer:
            device_id = self._device(request)
            body = device_data.check(kind, await request.body(self._limits.device_data_bytes))
            now = self._services.fleet.timestamp()
            await asyncio.wrap_future(
                self._services.fleet.database.submit(
                    lambda connection: device_data.keep(connection, device_id, kind, body, now)
                )
            )
            return DONE

        return take

    async def _campaigns(self, request: Request) -> Answer:
        device_id = self._device(request)

        def look() -> Answer:
            with self._services.fleet.database.read() as connection:
                return json_answer(campaigns.offers(connection, device_id))

        return await asyncio.to_thread(look)

    # ----------------------------------------------------------------------------- reading

    async def _director_file(self, request: Request, name: str) -> Answer:
        director = self._services.director
        found = _ROOT.fullmatch(name)
        if found or name == "root.json":
            auth.device_of(self._registry(), request.peer)
            root = director.root(int(found[1]) if found else director.root_version())
            if root is None:
                raise NotFound(f"there is no {name}", code="missing_entity")
            return Answer(200, root)
        if name not in _DIRECTOR_FILES:
            raise NotFound(f"the Director has no {name[:200]}", code="missing_entity")
        vehicle = await self._vehicle(request)
        now, readings = self._services.fleet.now(), self._services.readings
        if name != TIMESTAMP_FILE:
            begun = readings.file(vehicle.id, Repository.DIRECTOR, name, now.timestamp())
            if begun is not None:
                return Answer(200, begun)
        registry = self._services.registry
        if not registry.is_fresh(vehicle, now):
            await asyncio.to_thread(registry.sign, vehicle, now)
        if name == TIMESTAMP_FILE:
            readings.begin(vehicle.id, Repository.DIRECTOR, vehicle.files, now.timestamp())
        return Answer(200, vehicle.files[name])

    async def _repo_file(self, request: Request, name: str) -> Answer:
        device_id = auth.device_of(self._registry(), request.peer)
        images = self._services.images
        if not _REPO_FILE.fullmatch(name) or name.startswith("delegations/."):
            raise NotFound(f"the Image repository has no {name[:200]}", code="missing_entity")
        now, readings = self._services.fleet.now(), self._services.readings
        if name != TIMESTAMP_FILE:
            begun = readings.file(device_id, Repository.IMAGE, name, now.timestamp())
            if begun is not None:
                return Answer(200, begun)
        if images.needs_refresh(now):
            await self._refresh()
        if name == TIMESTAMP_FILE and (files := self._services.image_state.files()):
            readings.begin(device_id, Repository.IMAGE, files, now.timestamp())
            return Answer(200, files[name])
        data = images.read(name)
        if data is None and name.startswith("delegations/"):
            role = name.removeprefix("delegations/").removesuffix(".json")
            data = images.read(f"delegations/{quote(role, safe='')}.json")
        if data is None:
            raise NotFound(f"the Image repository has no {name[:200]}", code="missing_entity")
        return Answer(200, data)

    async def _refresh(self) -> None:
        try:
            now = self._services.fleet.now()
            await asyncio.to_thread(self._services.images.refresh, now)
        except OstryaError as exc:
            # What is there may be good for some time, and is better than nothing.
            logger.warning("the Image repository was not signed anew: %s", exc.message)

    async def _send_image(self, request: Request, name: str, send: Send) -> None:
        auth.device_of(self._registry(), request.peer)
        await send_file(send, request, open_image(self._services, name))


def open_image(services: Services, name: str) -> int:
    """Open an image that is a file; the caller closes it.

    Raises:
        NotFound: There is none.
    """
    import os

    try:
        return os.open(services.images.image_path(name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no image {name[:200]}", code="missing_entity") from None


def _read_wish(data: bytes, max_bytes: int) -> tuple[str, int, str]:
    what = "the request"
    try:
        fields = Fields(parse_json(data, max_bytes, what), what)
        device_id = fields.text("deviceId")
        ttl = fields.take("ttl") if fields.has("ttl") else _USUAL_DAYS
        claim = fields.text("claim") if fields.has("claim") else ""
    except UptaneError as exc:
        raise BadRequest(exc.message, code="invalid_device") from exc
    text = str(ttl)
    if isinstance(ttl, bool) or not (text.isascii() and text.isdigit() and len(text) < 9):
        raise BadRequest(f"'ttl' of {what} is no number of days", code="invalid_device")
    return device_id, min(max(int(text), 1), _MAX_DAYS), claim
