# SPDX-License-Identifier: Apache-2.0
"""Take connections at a socket, let each show who it is, and hand it to a protocol.

asyncio's own servers begin TLS with whoever connects, however many there are of them already. Here
a place is taken first, and who gets none is not spoken to.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from ostrya.fleet.connections import Connections, Seat

logger = logging.getLogger(__name__)

_NO_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE_S = 1.0
_TELL_AGAIN_S = 60.0


class Door(NamedTuple):
    """Where connections come in.

    Attributes:
        name: What it is called in the log.
        socket: Where it listens.
        tls: How connections are protected; None on a socket of this machine alone.
        connections: Who is in.
        handshake_timeout_s: How long TLS may take until it is known who it is.
        goodbye_timeout_s: How long it may take at the end.
    """

    name: str
    socket: socket.socket
    tls: ssl.SSLContext | None
    connections: Connections
    handshake_timeout_s: float
    goodbye_timeout_s: float


def address_of(peer: object) -> str:
    """Return by what an address is counted: of IPv6 one network, for each host has all of that."""
    if not isinstance(peer, tuple):
        return ""
    found = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


class Acceptor:
    """Takes connections until it is closed; to uvicorn, a server of asyncio.

    Attributes:
        turned_away: How many connections found no place.
    """

    def __init__(self, door: Door, make_protocol: Callable[[Seat], asyncio.Protocol]) -> None:
        self._door = door
        self._make_protocol = make_protocol
        self._greetings: set[asyncio.Task[None]] = set()
        self._told = float("-inf")
        self.turned_away = 0
        door.socket.settimeout(0)
        self._task = asyncio.ensure_future(self._accept())

    def close(self) -> None:
        """Take no more, and speak no further to those who have not shown who they are."""
        self._task.cancel()
        for one in self._greetings:
            one.cancel()

    async def wait_closed(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(self._task, *self._greetings, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._door.socket)
            except OSError as exc:
                if exc.errno in _NO_FILES:
                    self._tell("nobody can connect: %s", exc.strerror)
                    await asyncio.sleep(_PAUSE_S)
                continue
            self._greet(connection, address_of(address))

    def _greet(self, connection: socket.socket, address: str) -> None:
        seat = self._door.connections.arrive(address)
        if seat is None:
            connection.close()
            self.turned_away += 1
            self._tell("a connection was turned away: there are too many address=%s", address)
            return
        task = asyncio.ensure_future(self._welcome(connection, seat))
        self._greetings.add(task)
        task.add_done_callback(self._greetings.discard)

    async def _welcome(self, connection: socket.socket, seat: Seat) -> None:
        door = self._door
        has_tls = door.tls is not None
        try:
            if connection.family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._make_protocol(seat),
                connection,
                ssl=door.tls,
                ssl_handshake_timeout=door.handshake_timeout_s if has_tls else None,
                ssl_shutdown_timeout=door.goodbye_timeout_s if has_tls else None,
            )
        except BaseException as exc:
            seat.leave()
            with contextlib.suppress(OSError):
                connection.close()
            # Whoever cannot show who he is, or does not in time, is gone; no more than that.
            if not isinstance(exc, OSError):
                raise

    def _tell(self, message: str, what: object) -> None:
        """Write to the log, but not once for each of very many."""
        now = asyncio.get_running_loop().time()
        if now - self._told >= _TELL_AGAIN_S:
            self._told = now
            logger.warning(f"{message} door=%s", what, self._door.name)  # noqa: G004  # a constant
