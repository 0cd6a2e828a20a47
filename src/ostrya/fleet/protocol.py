# SPDX-License-Identifier: Apache-2.0
"""HTTP on one connection: what uvicorn leaves open is closed here.

Each request carries the certificate that its connection was made with. Nobody is waited for without
end: not for a request that was begun, not for an answer that is not taken. What comes before a
request, or between the pieces of its body, is bounded as well: the parser would keep all of it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from enum import Enum, auto
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ostrya.fleet.api.messages import GONE, PEER, Patience, device_answer
from ostrya.fleet.certificates import Purpose, read_peer
from ostrya.fleet.errors import BadRequest, TooLarge, TooMany

if TYPE_CHECKING:
    from asyncio import TimerHandle, Transport

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from ostrya.fleet.certificates import Peer
    from ostrya.fleet.connections import Seat
    from ostrya.fleet.errors import Refusal

PATIENCE = "ostrya.patience"
"""Where it is said how long to wait, in the state of the application."""
_GOODBYE_S = 0.5
_MAX_HEAD_BYTES = 64 * 1024
# Sizes of chunks, for one byte each, and what is told behind the last one.
_MOST_AROUND = 16
# So many requests wait for their turn on one connection.
_MOST_WAITING = 16
_TOO_LARGE = b"431 Request Header Fields Too Large"
# As much of an answer waits in memory for whoever takes it.
_WAITING_BYTES = 64 * 1024
_AT_ONCE = struct.pack("ii", 1, 0)


class Part(Enum):
    """Where in what comes a connection is."""

    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()


class PeerProtocol(HttpToolsProtocol):
    """HTTP on one connection.

    Attributes:
        seat: The place that it has; whoever makes the protocol says which.
    """

    seat: Seat
    _peer: Peer | None = None
    _begun: TimerHandle | None = None
    _untaken: TimerHandle | None = None
    _part = Part.BETWEEN
    _begun_now = 0
    _head_bytes = 0
    _body_bytes = 0
    _around_bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Look who it is."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=_WAITING_BYTES)
        tls = transport.get_extra_info("ssl_object")
        # None without TLS; without a certificate, None as well.
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        with contextlib.suppress(ValueError):
            self._peer = read_peer(der) if der else None
        self.seat.settle(self._make_room)
        peer = self._peer
        is_device = peer is not None and peer.purpose is Purpose.DEVICE
        if peer is not None and is_device and not self.seat.belongs_to(peer.name):
            refusal = TooMany(
                f"{peer.name} has as many connections as a device may have",
                code="too_many_connections",
                hint="`max_connections_per_device` says how many",
            )
            self._end_with(b"429 Too Many Requests", refusal)
            return
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        self._stop_untaken()
        self.seat.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take more of a request, but nothing without end."""
        if self.transport.is_closing():
            return
        before, self._begun_now = self._part, 0
        self._around_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._begun is None and self.cycle.response_complete:
            # What came begins no request, and ended the wait for one.
            self._expect()
        if self._part is Part.HEAD:
            self._count_head(before, len(data))
        elif self._around_bytes - self._body_bytes > self._most_around():
            refusal = TooLarge("more comes around the body than in it", code="head_too_large")
            self._end_with(_TOO_LARGE, refusal)

    def _count_head(self, before: Part, size: int) -> None:
        is_all_head = before is Part.HEAD and not self._begun_now
        if is_all_head or (before is Part.BETWEEN and self._begun_now == 1):
            # Otherwise it began somewhere in these, and is counted from the next on.
            self._head_bytes += size
        if self._head_bytes > _MAX_HEAD_BYTES:
            words = f"more than {_MAX_HEAD_BYTES} bytes come before the request"
            self._end_with(_TOO_LARGE, TooLarge(words, code="head_too_large"))

    def _most_around(self) -> int:
        return 2 * _MAX_HEAD_BYTES + _MOST_AROUND * self._body_bytes

    def on_message_begin(self) -> None:
        """Begin a request of whoever made the connection."""
        super().on_message_begin()
        self._part = Part.HEAD
        self._begun_now += 1
        self._head_bytes = self._body_bytes = self._around_bytes = 0
        self.scope[PEER] = self._peer  # type: ignore[literal-required]  # ours
        self.scope[GONE] = self.transport.is_closing  # type: ignore[literal-required]  # likewise
        self.seat.busy()
        self._expect()

    def on_headers_complete(self) -> None:
        """Answer, now that it is known what is wanted."""
        self._stop_waiting()
        self._part = Part.BODY
        if len(self.pipeline) >= _MOST_WAITING:
            # Whoever asks on and on takes no answers, and each request takes memory.
            self._cut()
        if not self.transport.is_closing():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Know that a request is whole."""
        self._part = Part.BETWEEN
        super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Be idle once all is answered; until then, take no more requests."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()
        if self.cycle.response_complete:
            self.seat.idle()

    def pause_writing(self) -> None:
        """Wait until what waits is taken, but not for ever."""
        super().pause_writing()
        self._stop_untaken()
        limit = self._patience.for_bytes(self.transport.get_write_buffer_size())
        self._untaken = self.loop.call_later(limit, self._cut)

    def resume_writing(self) -> None:
        """Go on with an answer."""
        self._stop_untaken()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, as any other request."""
        self._end_with(b"400 Bad Request", BadRequest(msg, code="invalid_http"))

    def _end_with(self, status: bytes, refusal: Refusal) -> None:
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.response_started != cycle.response_complete:
            # In the middle of an answer there is no place for words.
            self.transport.close()
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
        self._begun = self.loop.call_later(self._patience.timeout_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._begun is not None:
            self._begun.cancel()
            self._begun = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    @property
    def _patience(self) -> Patience:
        return cast("Patience", self.app_state[PATIENCE])

    def _stop_untaken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _make_room(self) -> None:
        """End for the sake of another; only asked while there is no request."""
        self._give_up()
        self.loop.call_later(_GOODBYE_S, self.transport.abort)

    def _cut(self) -> None:
        """End although not all was taken, and let the kernel keep nothing of it either."""
        found = self.transport.get_extra_info("socket")
        if found is not None:
            with contextlib.suppress(OSError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()
