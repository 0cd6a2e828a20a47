# SPDX-License-Identifier: Apache-2.0
"""Bytes out of a socket and into it, within limits of time.

A client gets its time for each piece, not for the whole: one that reads slowly gets everything, one
that does not read holds its thread no longer than ``PIECE_S``.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE_BYTES = 256 * 1024
PIECE_S = 60.0
_READ_BYTES = 16 * 1024


class SlowClientError(OSError):
    """The other side took longer than it may."""


def read_until(
    link: socket.socket, end: bytes, already: bytes, *, max_bytes: int, deadline: float
) -> tuple[bytes, bytes]:
    """Read up to a mark; return what is before it and what came after it.

    Returns:
        Nothing and nothing when the other side has ended the connection first.

    Raises:
        ValueError: The mark does not come within ``max_bytes``.
        SlowClientError: Nor by the deadline.
        OSError: The connection broke.
    """
    received = already
    while True:
        before, mark, after = received.partition(end)
        if mark:
            return before, after
        if len(received) > max_bytes:
            raise ValueError(max_bytes)
        _set_time(link, deadline)
        try:
            more = link.recv(_READ_BYTES)
        except TimeoutError as exc:
            raise SlowClientError from exc
        if not more:
            return b"", b""
        received += more


def send(link: socket.socket, data: bytes, *, more_follows: bool = False) -> None:
    """Send bytes; with more to follow they may wait for it, to share a packet.

    Raises:
        SlowClientError: The other side does not take them.
        OSError: The connection broke.
    """
    plain = more_follows and not isinstance(link, ssl.SSLSocket)
    flags = socket.MSG_MORE if plain else 0
    rest = memoryview(data)
    while rest:
        piece = rest[:PIECE_BYTES]
        _send_piece(link, piece, flags)
        rest = rest[len(piece) :]


def _send_piece(link: socket.socket, piece: memoryview, flags: int) -> None:
    # The time of sendall is for all of it, however many calls it makes.
    link.settimeout(PIECE_S)
    try:
        link.sendall(piece, flags)
    except TimeoutError as exc:
        raise SlowClientError from exc


def send_file(link: socket.socket, fd: int, start: int, length: int) -> bool:
    """Send a part of a file; say whether there was as much of it as that.

    Raises:
        SlowClientError: The other side does not take it.
        OSError: The connection broke, or the disk.
    """
    if isinstance(link, ssl.SSLSocket):
        return _send_pieces(
            start, length, lambda offset, count: _send_read(link, os.pread(fd, count, offset))
        )
    return _send_pieces(
        start, length, lambda offset, count: _sendfile(link.fileno(), fd, offset, count)
    )


def _send_pieces(start: int, length: int, send_piece: Callable[[int, int], int]) -> bool:
    end = start + length
    while start < end:
        sent = send_piece(start, min(PIECE_BYTES, end - start))
        if not sent:
            return False
        start += sent
    return True


def _send_read(link: socket.socket, piece: bytes) -> int:
    send(link, piece)
    return len(piece)


def _sendfile(socket_fd: int, fd: int, offset: int, count: int) -> int:
    deadline = time.monotonic() + PIECE_S
    sent = 0
    while sent < count:
        try:
            moved = os.sendfile(socket_fd, fd, offset + sent, count - sent)
        except BlockingIOError:
            if not _wait_writable(socket_fd, deadline):
                raise SlowClientError from None
            continue
        if not moved:
            break
        sent += moved
    return sent


def _wait_writable(socket_fd: int, deadline: float) -> bool:
    poll = select.poll()
    poll.register(socket_fd, select.POLLOUT)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


def _set_time(link: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise SlowClientError
    link.settimeout(left)
