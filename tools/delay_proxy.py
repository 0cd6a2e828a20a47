# SPDX-License-Identifier: Apache-2.0
"""A path with latency: pass TCP connections on to a port of this machine, every byte late.

``delay_proxy.py PORT TARGET RTT_MS`` listens on PORT of the loopback. Each way takes half of the
round trip, the opening of a connection a whole one; the rate is not limited.
"""

from __future__ import annotations

import asyncio
import sys

# More than a fast link holds in flight; beyond, the sender has to wait.
IN_FLIGHT_BYTES = 8 << 20


class Way(asyncio.Protocol):
    """One direction of a connection: what comes in here goes out at the other end, later."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.other: Way | None = None
        self.transport: asyncio.Transport | None = None
        self.not_before = 0.0
        self.in_flight = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Let it arrive when its time has come."""
        loop = asyncio.get_running_loop()
        self.in_flight += len(data)
        if self.in_flight > IN_FLIGHT_BYTES and self.transport is not None:
            self.transport.pause_reading()
        loop.call_at(max(loop.time(), self.not_before) + self.delay_s, self.arrive, data)

    def arrive(self, data: bytes) -> None:
        """Hand on what has come through."""
        self.in_flight -= len(data)
        if self.in_flight <= IN_FLIGHT_BYTES and self.transport is not None:
            self.transport.resume_reading()
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        """End the other side once all has arrived."""
        if self.other is not None and self.other.transport is not None:
            loop = asyncio.get_running_loop()
            at = max(loop.time(), self.not_before) + self.delay_s
            loop.call_at(at, self.other.transport.close)


class Client(Way):
    """The side that opened the connection."""

    def __init__(self, target: int, delay_s: float) -> None:
        super().__init__(delay_s)
        self.target = target
        self.opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the connection behind; until that is there, nothing is read."""
        super().connection_made(transport)
        assert self.transport is not None
        self.transport.pause_reading()
        self.opening = asyncio.ensure_future(self.open())

    async def open(self) -> None:
        """Connect to the target."""
        loop = asyncio.get_running_loop()
        server = Way(self.delay_s)
        server.other, self.other = self, server
        self.not_before = loop.time() + 2 * self.delay_s
        assert self.transport is not None
        try:
            await loop.create_connection(lambda: server, "127.0.0.1", self.target)
        except OSError:
            self.transport.abort()
            return
        self.transport.resume_reading()


async def serve(port: int, target: int, delay_s: float) -> None:
    """Listen until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(target, delay_s), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 2000))
