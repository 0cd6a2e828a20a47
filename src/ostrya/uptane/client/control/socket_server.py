# SPDX-License-Identifier: Apache-2.0
"""The control socket: who may speak, how much, and how fast.

The mode of the socket lets root and one group in; whoever connects is looked at again, by what the
kernel says of it. What a program sends is bounded by lines, what it does not read by a buffer, how
often it asks by time; who goes beyond that is hung up on, and nobody else notices.
"""

from __future__ import annotations

import grp
import logging
import os
import pwd
import selectors
import socket
import stat
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.control.protocol import (
    MAX_LINE_BYTES,
    Word,
    decode_request,
    encode_error,
    encode_event,
    encode_result,
)
from ostrya.uptane.client.errors import ControlRefused

if TYPE_CHECKING:
    from typing import Self

    from ostrya.uptane.client.control.board import Board
    from ostrya.uptane.metadata.json_text import Object

log = logging.getLogger(__name__)

MAX_CLIENTS = 16
MAX_UNREAD_BYTES = 256 * 1024
MAX_PER_SECOND = 50
_UCRED = struct.Struct("iII")
_READ_BYTES = 4096


class Peer(NamedTuple):
    """Who is at the other end of a connection.

    Attributes:
        pid: The process.
        uid: Its user.
        gid: Its group.
    """

    pid: int
    uid: int
    gid: int


def peer_of(connection: socket.socket) -> Peer:
    """Return what the kernel says of the other end."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return Peer(*_UCRED.unpack(data))


def may_speak(peer: Peer, owner_uid: int, group: int | None) -> bool:
    """Say whether somebody may speak: root, the client's own user, and members of the group."""
    if peer.uid in (0, owner_uid):
        return True
    if group is None:
        return False
    if peer.gid == group:
        return True
    with suppress(KeyError):
        name = pwd.getpwuid(peer.uid).pw_name
        return group in os.getgrouplist(name, peer.gid)
    return False


class _Client:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = b""
        self.unsent = b""
        self.is_subscribed = False
        self.is_ending = False
        self._allowance = float(MAX_PER_SECOND)
        self._at = time.monotonic()

    def is_too_fast(self) -> bool:
        """Take a request from what is allowed in a second; say if there is nothing left."""
        now = time.monotonic()
        self._allowance = min(MAX_PER_SECOND, self._allowance + (now - self._at) * MAX_PER_SECOND)
        self._at = now
        if self._allowance < 1:
            return True
        self._allowance -= 1
        return False


class SocketServer:
    """Serves the control socket on a thread of its own."""

    def __init__(self, path: str, board: Board, group: str = "") -> None:
        """Make the socket.

        Args:
            path: Where; its directory is made if it is not there.
            board: Who knows, and does.
            group: Whose members may speak; empty for nobody but root.

        Raises:
            ControlRefused: There is no such group, or something else is at that path.
            OSError: There can be no such socket.
        """
        self.path = path
        self._board = board
        self._group = _group_id(group)
        self._clients: dict[int, _Client] = {}
        self._events: list[bytes] = []
        self._lock = threading.Lock()
        self._is_closing = False
        self._listener = self._listen()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        for one in (self._listener, self._wake_read):
            one.settimeout(0)
            self._selector.register(one, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        board.listener = self.publish

    def _listen(self) -> socket.socket:
        folder = os.path.dirname(self.path) or "."
        os.makedirs(folder, mode=0o755, exist_ok=True)
        with suppress(FileNotFoundError):
            if not stat.S_ISSOCK(os.lstat(self.path).st_mode):
                raise ControlRefused("setup", f"{self.path} is there, and is no socket")
            # One client runs at a time, so nobody listens there any more.
            os.unlink(self.path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            before = os.umask(0o177)
            try:
                listener.bind(self.path)
            finally:
                os.umask(before)
            if self._group is not None:
                os.chown(self.path, -1, self._group)
                os.chmod(self.path, 0o660)
            listener.listen(MAX_CLIENTS)
        except BaseException:
            listener.close()
            raise
        return listener

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._is_closing = True
        self._wake()
        self._thread.join(timeout=5)
        for client in list(self._clients.values()):
            self._drop(client)
        self._selector.close()
        for one in (self._listener, self._wake_read, self._wake_write):
            one.close()
        with suppress(FileNotFoundError):
            os.unlink(self.path)

    def publish(self, event: Object) -> None:
        """Tell all who subscribed; from any thread."""
        with self._lock:
            self._events.append(encode_event(event))
        self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError, OSError):
            self._wake_write.send(b"x")

    # ------------------------------------------------------------------- on its thread

    def _run(self) -> None:
        while not self._is_closing:
            ready = self._selector.select(timeout=1)
            # Who hangs up makes room for who comes.
            for key, mask in sorted(ready, key=lambda one: one[0].fileobj is self._listener):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._wake_read:
                    self._tell_events()
                else:
                    self._serve(key.data, mask)

    def _accept(self) -> None:
        with suppress(OSError):
            connection, _ = self._listener.accept()
            peer = peer_of(connection)
            if not may_speak(peer, os.geteuid(), self._group):
                log.warning("a program may not speak pid=%s uid=%s", peer.pid, peer.uid)
                connection.close()
                return
            if len(self._clients) >= MAX_CLIENTS:
                connection.close()
                return
            connection.settimeout(0)
            client = _Client(connection)
            self._clients[connection.fileno()] = client
            self._selector.register(connection, selectors.EVENT_READ, client)

    def _tell_events(self) -> None:
        with suppress(BlockingIOError):
            self._wake_read.recv(_READ_BYTES)
        with self._lock:
            lines, self._events = self._events, []
        for client in list(self._clients.values()):
            if client.is_subscribed:
                for line in lines:
                    self._send(client, line)

    def _serve(self, client: _Client, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                self._flush(client)
            if mask & selectors.EVENT_READ:
                self._read(client)
        except OSError:
            self._drop(client)

    def _read(self, client: _Client) -> None:
        data = client.connection.recv(_READ_BYTES)
        if not data:
            self._drop(client)
            return
        client.received += data
        while b"\n" in client.received and not client.is_ending:
            line, _, client.received = client.received.partition(b"\n")
            if line.strip():
                self._send(client, self._answer(client, line))
        if len(client.received) > MAX_LINE_BYTES:
            refusal = ControlRefused("too-long", f"a line has at most {MAX_LINE_BYTES} bytes")
            client.is_ending = True
            self._send(client, encode_error(None, refusal))

    def _answer(self, client: _Client, line: bytes) -> bytes:
        request_id: int | str | None = None
        try:
            if client.is_too_fast():
                raise ControlRefused("too-fast", f"at most {MAX_PER_SECOND} requests a second")
            request = decode_request(line)
            request_id = request.request_id
            if request.word in (Word.SUBSCRIBE, Word.UNSUBSCRIBE):
                client.is_subscribed = request.word is Word.SUBSCRIBE
                return encode_result(request_id, {"subscribed": client.is_subscribed})
            if request.word is Word.STATUS:
                return encode_result(request_id, self._board.status())
            return encode_result(request_id, self._board.ask(request))
        except ControlRefused as exc:
            return encode_error(request_id, exc)

    def _send(self, client: _Client, line: bytes) -> None:
        client.unsent += line
        if len(client.unsent) > MAX_UNREAD_BYTES:
            # It does not read; what it would have been told is gone, and so is it.
            self._drop(client)
            return
        try:
            self._flush(client)
        except OSError:
            self._drop(client)

    def _flush(self, client: _Client) -> None:
        with suppress(BlockingIOError):
            while client.unsent:
                client.unsent = client.unsent[client.connection.send(client.unsent) :]
        if client.is_ending and not client.unsent:
            self._drop(client)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
        if client.connection.fileno() in self._clients:
            self._selector.modify(client.connection, wanted, client)

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.connection.fileno(), None) is None:
            return
        with suppress(KeyError, ValueError):
            self._selector.unregister(client.connection)
        client.connection.close()


def _group_id(name: str) -> int | None:
    if not name:
        return None
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ControlRefused(
            "setup", f"there is no group {name}", "make it, or name another in [control]"
        ) from None
