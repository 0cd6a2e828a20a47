# SPDX-License-Identifier: Apache-2.0
"""Messages over TCP: one after the other on a connection, each answered before the next.

Aktualizr's link is open to whoever is on that network, which an ECU bears: it believes signatures
only. But who listens learns what runs, and who speaks can keep an ECU busy; so our own ends can
speak TLS, each with a certificate that the other's authority vouches for.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.errors import MessageInvalid, SecondaryUnreachable
from ostrya.uptane.client.secondaries import asn1
from ostrya.uptane.client.secondaries.messages import MAX_MESSAGE_BYTES, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.uptane.client.secondaries.messages import Message

DEFAULT_PORT = 9030
_READ_BYTES = 64 * 1024
_KIND_BITS = 0xE0


class LinkTls(NamedTuple):
    """Who we are on a link, and whom we believe.

    Attributes:
        ca_path: The authority of the other end.
        cert_path: Our certificate.
        key_path: Its key.
    """

    ca_path: str
    cert_path: str
    key_path: str


class Address(NamedTuple):
    """Where an ECU is.

    Attributes:
        host: A name or a number.
        port: Of TCP.
        tls: None to speak in the clear, as aktualizr does.
    """

    host: str
    port: int
    tls: LinkTls | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Timeouts(NamedTuple):
    """How long is waited.

    Attributes:
        connect_s: For a connection.
        answer_s: For a whole answer.
        install_s: For the answer to an installation, or to a download.
    """

    connect_s: float = 10
    answer_s: float = 60
    install_s: float = 3600


def client_context(tls: LinkTls) -> ssl.SSLContext:
    """Return how a Primary speaks TLS; the other end is known by its authority, not by a name.

    Raises:
        OSError: A file cannot be read, or is none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # ECUs have numbers, and change them; the authority is for nobody else.
    context.check_hostname = False
    return _with_files(context, tls)


def server_context(tls: LinkTls) -> ssl.SSLContext:
    """Return how an ECU speaks TLS.

    Raises:
        OSError: A file cannot be read, or is none.
    """
    return _with_files(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tls)


def _with_files(context: ssl.SSLContext, tls: LinkTls) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tls.ca_path)
    context.load_cert_chain(tls.cert_path, tls.key_path)
    return context


class Connection:
    """A connection over which messages go."""

    def __init__(self, peer: socket.socket, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._peer = peer
        self._max_bytes = max_bytes
        self._received = bytearray()

    def send(self, message: Message, timeout_s: float) -> None:
        """Send a message.

        Raises:
            OSError: The other end is gone.
        """
        self._peer.settimeout(timeout_s)
        self._peer.sendall(encode(message))

    def receive(self, timeout_s: float) -> Message | None:
        """Return the next message; None if the other end hung up between two.

        Raises:
            MessageInvalid: What came is none.
            OSError: The other end is gone, or too slow: the time is for all of the message.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            if self._received and self._received[0] & _KIND_BITS != asn1.CHOICE:
                raise MessageInvalid("what comes is no message")
            length = asn1.total_length(self._received, self._max_bytes)
            if length is not None and len(self._received) >= length:
                data = bytes(self._received[:length])
                del self._received[:length]
                return decode(data)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no whole message came in time")
            self._peer.settimeout(left)
            data = self._peer.recv(_READ_BYTES)
            if not data:
                if self._received:
                    raise ConnectionError("the connection ended in the middle of a message")
                return None
            self._received += data


@contextmanager
def connect(address: Address, timeouts: Timeouts) -> Iterator[Connection]:
    """Connect to an ECU.

    Raises:
        SecondaryUnreachable: Nobody is there, or it is not whom we believe.
    """
    try:
        peer = socket.create_connection((address.host, address.port), timeouts.connect_s)
    except OSError as exc:
        raise SecondaryUnreachable(f"no ECU answers at {address}: {exc.strerror or exc}") from exc
    try:
        with suppress(OSError):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.tls is not None:
            try:
                peer = client_context(address.tls).wrap_socket(peer)
            except OSError as exc:
                raise SecondaryUnreachable(
                    f"the ECU at {address} is not to be believed: {exc}",
                    hint="see that both ends have certificates of the other's authority",
                ) from exc
        yield Connection(peer)
    finally:
        peer.close()
