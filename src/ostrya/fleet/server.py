# SPDX-License-Identifier: Apache-2.0
"""One process: a listener for devices, others for tools, and what has to be done now and then.

uvicorn speaks HTTP. What it does not do is done here: it puts the certificate of a connection into
each request of that connection, it waits for no more than some seconds for a request that someone
began, and takes no more than some kilobytes before it knows what is wanted. All listeners share one
event loop, and end together.
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
from typing import TYPE_CHECKING, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ostrya.fleet.api.messages import PEER, device_answer
from ostrya.fleet.certificates import read_peer
from ostrya.fleet.domain.fleet import AUTHORITY
from ostrya.fleet.errors import BadRequest, SetupError, TooLarge
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle, Transport
    from collections.abc import Awaitable, Callable, Sequence

    from ostrya.fleet.certificates import Peer
    from ostrya.fleet.errors import Refusal
    from ostrya.fleet.settings import Settings

logger = logging.getLogger(__name__)

_BACKLOG = 1024
_GOODBYE_S = 0.5
# Beside connections: databases, files that are sent.
_OTHER_FILES = 512
_MAX_HEAD_BYTES = 64 * 1024
_TIMEOUT_KEY = "ostrya.request_timeout_s"


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


class PeerProtocol(HttpToolsProtocol):
    """HTTP on one connection, whose requests carry the certificate that it was made with."""

    _peer: Peer | None = None
    _begun: TimerHandle | None = None
    _is_in_head = True
    _head_bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Look who it is."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        # None without TLS; without a certificate, None as well.
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        with contextlib.suppress(ValueError):
            self._peer = read_peer(der) if der else None
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take more of a request, but no head without end: the parser would keep all of it."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._begun is None and self.cycle.response_complete:
            # What came begins no request, and ended the wait for one.
            self._expect()
        if not self._is_in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > _MAX_HEAD_BYTES:
            refusal = TooLarge(
                f"more than {_MAX_HEAD_BYTES} bytes come before the request", code="head_too_large"
            )
            self._end_with(b"431 Request Header Fields Too Large", refusal)

    def on_message_begin(self) -> None:
        """Begin a request of whoever made the connection."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        self.scope[PEER] = self._peer  # type: ignore[literal-required]  # ours
        self._expect()

    def on_headers_complete(self) -> None:
        """Answer, now that it is known what is wanted."""
        self._stop_waiting()
        self._is_in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, as any other request."""
        self._end_with(b"400 Bad Request", BadRequest(msg, code="invalid_http"))

    def _end_with(self, status: bytes, refusal: Refusal) -> None:
        if self.transport.is_closing():
            return
        answer = device_answer(refusal)
        head = (
            b"HTTP/1.1 "
            + status
            + b"\r\ncontent-type: application/json\r\ncontent-length: "
            + str(len(answer.body)).encode()
            + b"\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head + answer.body)
        self.transport.close()

    def shutdown(self) -> None:
        """End when the request that is under way has been answered; at once if there is none."""
        super().shutdown()
        if self.transport.is_closing():
            # A client that does not say goodbye in TLS is not waited for.
            self.loop.call_later(_GOODBYE_S, self.transport.abort)

    def _expect(self) -> None:
        self._stop_waiting()
        limit = cast("float", self.app_state.get(_TIMEOUT_KEY, 60.0))
        self._begun = self.loop.call_later(limit, self._give_up)

    def _stop_waiting(self) -> None:
        if self._begun is not None:
            self._begun.cancel()
            self._begun = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


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


def _context(settings: Settings, verify: ssl.VerifyMode) -> ssl.SSLContext:
    folder = settings.path(AUTHORITY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = verify
    try:
        context.load_cert_chain(
            os.path.join(folder, "server.pem"), os.path.join(folder, "server.key")
        )
        context.load_verify_locations(os.path.join(folder, "ca.pem"))
    except (OSError, ssl.SSLError) as exc:
        raise SetupError(f"the server's certificate in {folder} cannot be read: {exc}") from exc
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


def allow_connections(settings: Settings) -> None:
    """Let this process have as many open files as there may be connections, or say that it cannot.

    Without this, whoever opens connections that say nothing shuts out everybody.
    """
    wanted = settings.server.max_connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        logger.warning(
            "fewer connections are possible than max_connections: raise LimitNOFILE of the service"
            " files=%d wanted=%d",
            allowed,
            wanted,
        )


class _Server(uvicorn.Server):
    """uvicorn's server of one listener."""

    def __init__(self, listener: Listener, settings: Settings) -> None:
        config = uvicorn.Config(
            listener.app,  # type: ignore[arg-type]  # an application of ASGI
            http=PeerProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=settings.server.max_connections,
            timeout_keep_alive=settings.server.idle_timeout_s,
            timeout_graceful_shutdown=settings.server.shutdown_timeout_s,
            backlog=_BACKLOG,
        )
        config.load()
        config.ssl = listener.tls
        super().__init__(config)
        self.listener = listener
        self.lifespan = config.lifespan_class(config)
        self.lifespan.state[_TIMEOUT_KEY] = float(settings.server.request_timeout_s)


async def serve(
    listeners: Sequence[Listener],
    settings: Settings,
    job: Callable[[asyncio.Event], Awaitable[None]],
    ready: Callable[[], None],
) -> None:
    """Serve until a signal says to end, and let requests end that are under way.

    Args:
        listeners: The doors.
        settings: How long to wait for whom.
        job: What is done besides, until its event is set.
        ready: Called once all doors are open.
    """
    loop = asyncio.get_running_loop()
    allow_connections(settings)
    servers = [_Server(one, settings) for one in listeners]
    stop = asyncio.Event()
    _end_on_signals(loop, servers, stop)
    for server in servers:
        await server.startup(sockets=[server.listener.socket])
    background = asyncio.ensure_future(job(stop))
    ready()
    try:
        await asyncio.gather(*(server.main_loop() for server in servers))
    finally:
        stop.set()
        await asyncio.gather(
            *(server.shutdown(sockets=[server.listener.socket]) for server in servers)
        )
        await background


def _end_on_signals(
    loop: AbstractEventLoop, servers: Sequence[_Server], stop: asyncio.Event
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
