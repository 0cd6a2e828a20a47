# SPDX-License-Identifier: Apache-2.0
"""The listener, a bounded number of threads, and their end."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from ostrya.serve.connection import Connection
from ostrya.serve.errors import ServeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

MAX_CONNECTIONS = 256
"""As many clients are answered at a time; the next ones take the place of an idle one, or wait."""
_HANDSHAKE_S = 20.0
_BACKLOG = 1024
_PAUSE_S = 0.05
_LOOK_UP_S = 0.5


class Server:
    """A directory, served.

    Attributes:
        address: Where it listens.
        port: On which port.
    """

    def __init__(
        self,
        root_fd: int,
        address: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        log: Callable[[str, str, int, int], None] | None = None,
        below: str = "",
    ) -> None:
        """Begin to listen; clients are answered once ``run`` is called.

        Args:
            root_fd: The directory; stays the caller's, open as long as the server.
            address: Of this machine; empty for all it has.
            port: 0 for any that is free.
            tls: With a certificate in it, to speak TLS.
            log: Told of each request: client, request line, status, length of the body.
            below: The path that the directory is served at; empty for the root.

        Raises:
            ServeError: The address cannot be had.
        """
        self._root_fd = root_fd
        self._tls = tls
        self._log = log
        self._below = "/".join(part for part in below.split("/") if part)
        self._ended = False
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._links: dict[socket.socket, Connection] = {}
        self._threads: set[threading.Thread] = set()
        self._listener = _listen(address, port)
        # A signal that comes just before we wait is seen when the wait ends.
        self._listener.settimeout(_LOOK_UP_S)
        self.address, self.port = self._listener.getsockname()[:2]

    @property
    def urls(self) -> tuple[str, ...]:
        """What clients are told; of all addresses, first one for clients on this machine."""
        scheme = "http" if self._tls is None else "https"
        hosts = [f"[{self.address}]" if ":" in self.address else self.address]
        if self.address in {"::", "0.0.0.0"}:  # noqa: S104  # bound to nothing here
            hosts = list(dict.fromkeys(("localhost", socket.gethostname())))
        end = f"{self._below}/" if self._below else ""
        return tuple(f"{scheme}://{host}:{self.port}/{end}" for host in hosts if host)

    def run(self) -> None:
        """Answer clients until an exception, Ctrl-C for instance, or ``close`` ends it."""
        while self._wait_for_slot():
            try:
                link, client = self._listener.accept()
            except TimeoutError:
                self._slots.release()
                continue
            except OSError:
                self._slots.release()
                # Closed, out of descriptors, or a client that has gone already.
                time.sleep(_PAUSE_S)
                continue
            self._begin(link, str(client[0]))

    def _wait_for_slot(self) -> bool:
        """Wait until there is a thread for one more client; say whether the server goes on."""
        while not self._ended and not self._slots.acquire(timeout=_PAUSE_S):
            with self._lock:
                idle = [pair for pair in self._links.items() if pair[1].idle_since]
                if idle:
                    link, _ = min(idle, key=lambda pair: pair[1].idle_since)
                    _shut(link)
        return not self._ended

    def _begin(self, link: socket.socket, client: str) -> None:
        connection = Connection(link, client, self._root_fd, self._log, self._below)
        thread = threading.Thread(target=self._serve, args=(link, connection), daemon=True)
        with self._lock:
            self._links[link] = connection
            self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # no more threads on this machine
            self._forget(link, thread)

    def _serve(self, link: socket.socket, connection: Connection) -> None:
        try:
            with suppress(OSError):
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is None:
                    connection.serve()
                else:
                    self._serve_tls(link, connection, self._tls)
        finally:
            self._forget(link, threading.current_thread())

    def _serve_tls(self, link: socket.socket, connection: Connection, tls: ssl.SSLContext) -> None:
        link.settimeout(_HANDSHAKE_S)
        # The plain socket stays ours, for others to shut.
        with tls.wrap_socket(link.dup(), server_side=True) as secure:
            connection.use(secure)
            connection.serve()

    def _forget(self, link: socket.socket, thread: threading.Thread) -> None:
        with self._lock:
            self._links.pop(link, None)
            self._threads.discard(thread)
        link.close()
        self._slots.release()

    def close(self) -> None:
        """End all connections and wait for their threads."""
        self._ended = True
        # Closing alone does not wake a thread that waits in accept.
        _shut(self._listener)
        self._listener.close()
        with self._lock:
            for link in self._links:
                _shut(link)
            threads = list(self._threads)
        for thread in threads:
            if thread.ident is not None:
                thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def tls_context(cert_path: str, key_path: str | None, client_ca_path: str | None) -> ssl.SSLContext:
    """Return what a server needs to speak TLS.

    Args:
        cert_path: Our certificate and those above it, PEM.
        key_path: Its key, PEM; None if it is in the same file.
        client_ca_path: Whose certificates clients must show, PEM; None to let anybody in.

    Raises:
        ServeError: One of them cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert_path, key_path, password=_no_password)
    except (OSError, ValueError) as exc:
        where = cert_path if key_path is None else f"{cert_path} and {key_path}"
        raise ServeError(f"Cannot use the certificate in {where}: {_reason(exc)}") from exc
    if client_ca_path is not None:
        try:
            context.load_verify_locations(client_ca_path)
        except OSError as exc:
            raise ServeError(f"Cannot use {client_ca_path}: {_reason(exc)}") from exc
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _no_password() -> str:
    raise ValueError("the key has a password")


def _reason(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc)


def _listen(address: str, port: int) -> socket.socket:
    try:
        if not address and socket.has_dualstack_ipv6():
            return socket.create_server(
                ("", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
            )
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as exc:
        where = f"{address or 'any address'} port {port}"
        raise ServeError(f"Cannot listen on {where}: {_reason(exc)}") from exc


def _shut(link: socket.socket) -> None:
    """Wake the thread that waits for a client, with word that there is none any more."""
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
