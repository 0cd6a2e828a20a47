# SPDX-License-Identifier: Apache-2.0
"""One process: a listener for devices, others for tools, and what has to be done now and then.

uvicorn speaks HTTP, on connections that `ostrya.fleet.acceptor` takes and by a protocol of ours,
`ostrya.fleet.protocol`. All listeners share one event loop, and end together.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import ssl
from typing import TYPE_CHECKING

import uvicorn

from ostrya.fleet.acceptor import Acceptor, Door
from ostrya.fleet.api.messages import patience_of
from ostrya.fleet.connections import Connections, DoorFacts, Places
from ostrya.fleet.domain.fleet import AUTHORITY
from ostrya.fleet.errors import SetupError
from ostrya.fleet.protocol import PATIENCE, PeerProtocol
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from ostrya.fleet.connections import Seat
    from ostrya.fleet.settings import Settings

logger = logging.getLogger(__name__)

_BACKLOG = 1024
_GOODBYE_S = 5.0
# For devices, and for tools.
_DOORS = 2
# Beside connections: databases, files that are sent.
_OTHER_FILES = 512


class Listener(NamedTuple):
    """A door.

    Attributes:
        name: What it is called in the log.
        socket: Where it is.
        app: What is behind it, an application of ASGI.
        tls: How connections are protected; None on a socket of this machine alone.
    """

    name: str
    socket: socket.socket
    app: object
    tls: ssl.SSLContext | None


def gateway_context(settings: Settings) -> ssl.SSLContext:
    """Return how devices connect: with a certificate of the fleet's authority, or not at all.

    Raises:
        SetupError: The server's own certificate cannot be read.
    """
    return _context(settings, ssl.CERT_REQUIRED)


def tools_context(settings: Settings) -> ssl.SSLContext:
    """Return how tools connect: with a certificate, or with a secret later.

    Raises:
        SetupError: The server's own certificate cannot be read.
    """
    return _context(settings, ssl.CERT_OPTIONAL)


def load_certificate(context: ssl.SSLContext, settings: Settings) -> None:
    """Show the server's certificate as it is now to all who connect from here on.

    Raises:
        SetupError: It cannot be read.
    """
    folder = settings.path(AUTHORITY)
    try:
        # First into one that nobody uses: what is wrong would leave half of it behind.
        for one in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), context):
            one.load_cert_chain(
                os.path.join(folder, "server.pem"), os.path.join(folder, "server.key")
            )
    except (OSError, ssl.SSLError) as exc:
        raise SetupError(f"the server's certificate in {folder} cannot be read: {exc}") from exc


def _context(settings: Settings, verify: ssl.VerifyMode) -> ssl.SSLContext:
    folder = settings.path(AUTHORITY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = verify
    load_certificate(context, settings)
    try:
        context.load_verify_locations(os.path.join(folder, "ca.pem"))
    except (OSError, ssl.SSLError) as exc:
        raise SetupError(f"the authority in {folder} cannot be read: {exc}") from exc
    context.set_alpn_protocols(["http/1.1"])
    # One is enough to go on with a session, and each costs a fifth of a millisecond.
    context.num_tickets = 1
    return context


def bind(host: str, port: int) -> socket.socket:
    """Listen at an address.

    Raises:
        SetupError: Somebody else does, or there is none such.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(_BACKLOG)
        except OSError:
            bound.close()
            raise
    except OSError as exc:
        raise SetupError(
            f"nobody can listen at {host}:{port}: {exc.strerror or exc}",
            hint="`listen` and `admin_listen` in fleet.toml say where",
        ) from exc
    return bound


def bind_here(path: str) -> socket.socket:
    """Listen at a socket that only its owner may open.

    Raises:
        SetupError: Another server does.
    """
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Through the folder, whose path may be longer than that of a socket can be.
    folder_fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    name = f"/proc/self/fd/{folder_fd}/{os.path.basename(path)}"
    before = os.umask(0o177)
    try:
        if _answers(name):
            bound.close()
            raise SetupError(f"a server answers at {path} already")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        bound.bind(name)
        bound.listen(_BACKLOG)
    finally:
        os.umask(before)
        os.close(folder_fd)
    return bound


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def allow_connections(settings: Settings) -> int:
    """Let this process have as many open files as there may be connections.

    Returns:
        How many connections are possible at each door: fewer, where the system does not allow so
        many files. Without files nobody at all could connect, not even the owner.
    """
    most = settings.server.max_connections
    wanted = _DOORS * most + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return most
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed == wanted:
        return most
    possible = max((allowed - min(_OTHER_FILES, allowed // 2)) // _DOORS, 1)
    logger.warning(
        "fewer connections are possible than max_connections: raise LimitNOFILE of the service"
        " files=%d wanted=%d connections=%d",
        allowed,
        wanted,
        possible,
    )
    return possible


class DoorServer(uvicorn.Server):
    """uvicorn's server of one listener, whose connections come by a door of ours."""

    def __init__(self, listener: Listener, settings: Settings, most: int) -> None:
        config = uvicorn.Config(
            listener.app,  # type: ignore[arg-type]  # an application of ASGI
            http=PeerProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=settings.server.idle_timeout_s,
            timeout_graceful_shutdown=settings.server.shutdown_timeout_s,
        )
        config.load()
        super().__init__(config)
        self.listener = listener
        self.lifespan = config.lifespan_class(config)
        self._acceptor: Acceptor | None = None
        self._state = {PATIENCE: patience_of(settings)}
        server = settings.server
        is_owners = listener.tls is None
        places = Places(
            most,
            server.max_connections_per_device,
            most if is_owners else server.max_connections_per_address,
        )
        self._door = Door(
            listener.name, listener.socket, listener.tls, Connections(places),
            float(server.handshake_timeout_s), _GOODBYE_S,
        )  # fmt: skip

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        """Open the door."""
        self._acceptor = Acceptor(self._door, self._make_protocol)
        self.servers = [self._acceptor]  # type: ignore[list-item]  # alike
        self.started = True

    def facts(self) -> DoorFacts:
        """Return what came by the door."""
        turned_away = self._acceptor.turned_away if self._acceptor else 0
        requests = self.server_state.total_requests
        return DoorFacts(len(self._door.connections), requests, turned_away)

    def _make_protocol(self, seat: Seat) -> PeerProtocol:
        found = PeerProtocol(self.config, self.server_state, self._state)
        found.seat = seat
        return found


async def serve(
    listeners: Sequence[Listener],
    settings: Settings,
    job: Callable[[asyncio.Event], Awaitable[None]],
    ready: Callable[[Mapping[str, Callable[[], DoorFacts]]], None],
) -> None:
    """Serve until a signal says to end, and let requests end that are under way.

    Args:
        listeners: The doors.
        settings: How long to wait for whom.
        job: What is done besides, until its event is set.
        ready: Called once all doors are open, with what says what came by each.
    """
    loop = asyncio.get_running_loop()
    most = allow_connections(settings)
    servers = [DoorServer(one, settings, most) for one in listeners]
    stop = asyncio.Event()
    _end_on_signals(loop, servers, stop)
    for server in servers:
        await server.startup()
    background = asyncio.ensure_future(job(stop))
    ready({server.listener.name: server.facts for server in servers})
    try:
        await asyncio.gather(*(server.main_loop() for server in servers))
    finally:
        stop.set()
        await asyncio.gather(*(server.shutdown() for server in servers))
        await background


def _end_on_signals(
    loop: AbstractEventLoop, servers: Sequence[DoorServer], stop: asyncio.Event
) -> None:
    def end() -> None:
        if stop.is_set():
            # Asked twice: those who are still being answered have to come again.
            for server in servers:
                server.force_exit = True
        stop.set()
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(RuntimeError, ValueError):
            loop.add_signal_handler(number, end)
