# SPDX-License-Identifier: Apache-2.0
"""The server, put together: doors, what is behind them, and jobs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from typing import TYPE_CHECKING

from ostrya.fleet.api.gateway import Gateway
from ostrya.fleet.domain import jobs
from ostrya.fleet.domain.services import open_services
from ostrya.fleet.server import Listener, bind, gateway_context, serve
from ostrya.fleet.settings import parse_listen

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.fleet.domain.services import Services

logger = logging.getLogger(__name__)

# A report waits so long for others, to be written in one transaction with them.
LINGER_S = 0.02


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
                await serve(
                    listeners,
                    services.settings,
                    lambda stop: _jobs(services, stop),
                    lambda: ready(addresses),
                )

            # What was made so far stays: looking through it again and again costs every request.
            gc.freeze()
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(main())
        finally:
            for one in listeners:
                one.socket.close()


def make_listeners(services: Services) -> list[Listener]:
    """Open all doors.

    Raises:
        SetupError: One cannot be opened.
    """
    server = services.settings.server
    return [
        Listener(
            "devices",
            bind(*parse_listen(server.listen)),
            Gateway(services),
            gateway_context(services.settings),
        )
    ]


def _shown(listener: Listener) -> str:
    host, port = listener.socket.getsockname()[:2]
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def _jobs(services: Services, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await asyncio.to_thread(jobs.run_once, services)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(jobs.EVERY_S):
                await stop.wait()
