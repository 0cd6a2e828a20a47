# SPDX-License-Identifier: Apache-2.0
"""The server, put together: doors, what is behind them, and jobs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import socket
from typing import TYPE_CHECKING

from ostrya.fleet.api.gateway import Gateway
from ostrya.fleet.api.tools import OwnersDoor, Tools
from ostrya.fleet.domain import jobs
from ostrya.fleet.domain.fleet import AUTHORITY
from ostrya.fleet.domain.services import open_services
from ostrya.fleet.domain.setup import renew_server_if_due
from ostrya.fleet.errors import SetupError
from ostrya.fleet.server import (
    Listener,
    bind,
    bind_here,
    gateway_context,
    load_certificate,
    serve,
    tools_context,
)
from ostrya.fleet.settings import parse_listen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ostrya.fleet.connections import DoorFacts
    from ostrya.fleet.domain.services import Services

logger = logging.getLogger(__name__)

# A report waits so long for others, to be written in one transaction with them.
LINGER_S = 0.02
SOCKET = "admin.sock"


def run(folder: str, ready: Callable[[dict[str, str]], None]) -> None:
    """Serve until a signal says to end.

    Args:
        folder: Where the server is.
        ready: Called once it answers, with the addresses of its doors.

    Raises:
        SetupError: It cannot be started.
        Unavailable: Its database does not answer.
    """
    with open_services(folder, linger_s=LINGER_S) as services:
        listeners = make_listeners(services)
        try:
            addresses = {one.name: _shown(one) for one in listeners}

            async def main() -> None:
                def opened(doors: Mapping[str, Callable[[], DoorFacts]]) -> None:
                    services.doors.update(doors)
                    ready(addresses)

                await serve(
                    listeners,
                    services.settings,
                    lambda stop: _jobs(services, listeners, stop),
                    opened,
                )

            # What was made so far stays: looking through it again and again costs every request.
            gc.freeze()
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(main())
        finally:
            for one in listeners:
                one.socket.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(services.settings.path(SOCKET))


def make_listeners(services: Services) -> list[Listener]:
    """Open all doors.

    Raises:
        SetupError: One cannot be opened.
    """
    settings, found = services.settings, list[Listener]()
    fleet = services.fleet
    if renew_server_if_due(fleet.authority, settings, fleet.now()):
        logger.info("the server has a new certificate for %s", ", ".join(settings.server.hostnames))
    tools = Tools(services)
    try:
        tls = gateway_context(settings)
        here = bind(*parse_listen(settings.server.listen))
        found.append(Listener("devices", here, Gateway(services), tls))
        if settings.server.admin_listen:
            here = bind(*parse_listen(settings.server.admin_listen))
            found.append(Listener("tools", here, tools, tools_context(settings)))
        path = os.path.abspath(settings.path(SOCKET))
        found.append(Listener("owner", bind_here(path), OwnersDoor(tools), None))
    except BaseException:
        for one in found:
            one.socket.close()
        raise
    return found


def _shown(listener: Listener) -> str:
    if listener.socket.family == socket.AF_UNIX:
        return "admin.sock"
    host, port = listener.socket.getsockname()[:2]
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def _jobs(services: Services, listeners: Sequence[Listener], stop: asyncio.Event) -> None:
    certificate = Certificate(services, listeners)
    await asyncio.gather(
        _repeat(certificate.look, jobs.EVERY_S, stop),
        _repeat(lambda: jobs.run_once(services), jobs.EVERY_S, stop),
        _repeat(lambda: jobs.run_often(services), jobs.OFTEN_S, stop),
    )


class Certificate:
    """The server's own: made anew before its time is over, and shown to all who connect then."""

    def __init__(self, services: Services, listeners: Sequence[Listener]) -> None:
        self._services = services
        self._contexts = [one.tls for one in listeners if one.tls is not None]
        self._shown = self._stamp()

    def look(self) -> bool:
        """Make another if it is time; show one that is new, whoever made it, and say whether."""
        fleet, settings = self._services.fleet, self._services.settings
        try:
            renew_server_if_due(fleet.authority, settings, fleet.now())
            stamp = self._stamp()
            if stamp == self._shown:
                return False
            for context in self._contexts:
                load_certificate(context, settings)
        except (OSError, SetupError) as exc:
            # What is shown now is good for some days.
            logger.warning("the server's certificate was not renewed: %s", exc)
            return False
        self._shown = stamp
        logger.info("the server shows a new certificate")
        return True

    def _stamp(self) -> tuple[int, int]:
        found = os.stat(os.path.join(self._services.settings.path(AUTHORITY), "server.pem"))
        return found.st_mtime_ns, found.st_ino


async def _repeat(job: Callable[[], int], every_s: float, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await asyncio.to_thread(job)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await stop.wait()
