# SPDX-License-Identifier: Apache-2.0
"""Requests of a device to the servers of its fleet, one after the other, on kept connections.

* Nobody but the authorities that are named vouches for a host; the system's are not asked.
* Whoever sends us elsewhere gets the same request there, method and body. It never leaves TLS, and
  another host is neither shown our certificate nor sent a body.
* A small request has a deadline for all of it; a download is given up when it comes too slowly.
* Bodies are bounded while they come, not by what a header says of them.

Each thread has connections of its own. Requests are sent again where a transport failed, or where
the server did: so they have to be such that twice is no harm, unless ``retries`` is 0.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from ostrya.fetch import client_certificate
from ostrya.fetch.curl import pycurl
from ostrya.fetch.curl_loop import Running, perform
from ostrya.fetch.errors import (
    AddressError,
    BadAnswer,
    BodyTooLarge,
    ConnectionLost,
    FetchOptionError,
    NetworkError,
    RedirectError,
)
from ostrya.fetch.exchange_options import check_address, with_port
from ostrya.fetch.http_options import header_line
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.fetch.addresses import Address
    from ostrya.fetch.answer import Header
    from ostrya.fetch.errors import TransferError
    from ostrya.fetch.exchange_options import ExchangeOptions

REFUSAL_BYTES = 64 * 1024
"""So much is kept of what comes with a refusal."""
_SEE_OTHER = 303
_REDIRECTS = frozenset({301, 302, _SEE_OTHER, 307, 308})
# Debian 12 has a pycurl without the newer one.
_LENGTH = getattr(pycurl, "CONTENT_LENGTH_DOWNLOAD_T", pycurl.CONTENT_LENGTH_DOWNLOAD)


class Message(NamedTuple):
    """A request.

    Attributes:
        method: GET, PUT or POST.
        url: Where to.
        body: What it carries; None for nothing.
        content_type: What that is.
        max_bytes: How long the answer may be.
    """

    method: str
    url: str
    body: bytes | None = None
    content_type: str = "application/json"
    max_bytes: int = REFUSAL_BYTES


class Reply(NamedTuple):
    """An answer, whatever its status.

    Attributes:
        status: Its code.
        url: Who gave it, after redirects.
        body: What came; of a refusal its first bytes.
    """

    status: int
    url: str
    body: bytes = b""


class Download(NamedTuple):
    """A long answer, as it comes.

    Attributes:
        status: 200, or 206 for a part.
        url: Who gives it, after redirects.
        offset: Where its first byte belongs.
        total: How long the whole is; None where the server does not say.
        chunks: Its bytes.
    """

    status: int
    url: str
    offset: int
    total: int | None
    chunks: Iterator[bytes]


class Exchange:
    """Connections to the servers of a fleet; used from many threads."""

    def __init__(self, options: ExchangeOptions) -> None:
        self.options = options
        self._local = threading.local()
        self._lock = threading.Lock()
        self._multis: list[pycurl.CurlMulti] = []

    def send(self, message: Message, *, retries: int | None = None) -> Reply:
        """Send a small request and return the answer, whatever its status.

        Args:
            message: The request.
            retries: How often it may be sent again; without it, as the options say.

        Raises:
            PlainTextRefused: It would go out in the clear; nothing was sent.
            TransferError: There is no answer, or none that may be believed.
        """
        left = self.options.retries if retries is None else retries
        while True:
            try:
                reply = self._send_once(message)
                if reply.status < 500 or left <= 0:
                    return reply
            except NetworkError as exc:
                if left <= 0:
                    raise self._explained(exc) from exc
            left -= 1
            time.sleep(self.options.pause_s)

    def _send_once(self, message: Message) -> Reply:
        deadline = time.monotonic() + self.options.request_timeout_s
        for _ in range(self.options.max_redirects + 1):
            address = check_address(message.url, self.options)
            curl = self._prepare(message, address)
            left_ms = max(1, int((deadline - time.monotonic()) * 1000))
            curl.setopt(pycurl.TIMEOUT_MS, left_ms)
            running = Running(curl, address.url)
            parts: list[bytes] = []
            try:
                with closing(perform(self._multi(), running)) as pieces:
                    for piece in pieces:
                        parts.append(piece)
                        if sum(map(len, parts)) > _allowed(running.header(), message.max_bytes):
                            break
                status = running.header().status
                elsewhere = _elsewhere(running)
            finally:
                curl.close()
            if elsewhere:
                message = self._redirected(message, address, status, elsewhere)
                continue
            return _reply(address.url, status, b"".join(parts), message.max_bytes)
        raise RedirectError(message.url, "redirected too often")

    @contextmanager
    def download(self, url: str, offset: int, max_bytes: int) -> Iterator[Download | Reply]:
        """Begin a download; what is no success comes as a ``Reply``.

        Args:
            url: Where from.
            offset: So many bytes are here already; a server may send all of them again.
            max_bytes: How long the whole may be.

        Raises:
            PlainTextRefused: It would come in the clear; nothing was sent.
            TransferError: It cannot be had; later from ``chunks`` too.
        """
        left = self.options.retries
        while True:
            multi = pycurl.CurlMulti()
            try:
                with self._begin(multi, url, offset, max_bytes) as found:
                    if found.status < 500 or left <= 0:
                        yield found
                        return
            except _Unbegun as exc:
                if left <= 0 or not isinstance(exc.error, NetworkError):
                    raise self._explained(exc.error) from exc
            finally:
                multi.close()
            left -= 1
            time.sleep(self.options.pause_s)

    @contextmanager
    def _begin(
        self, multi: pycurl.CurlMulti, url: str, offset: int, max_bytes: int
    ) -> Iterator[Download | Reply]:
        message = Message("GET", url, max_bytes=max_bytes)
        for _ in range(self.options.max_redirects + 1):
            address = check_address(message.url, self.options)
            curl = self._prepare(message, address)
            if offset:
                curl.setopt(pycurl.RANGE, f"{offset}-")
            running = Running(curl, address.url)
            pieces = perform(multi, running)
            try:
                try:
                    first = next(pieces, b"")
                except (NetworkError, BodyTooLarge) as exc:
                    raise _Unbegun(exc) from exc
                if running.header().status not in {200, 206}:
                    # Only once all of it came does libcurl say where to go.
                    first = _refusal(first, pieces)
                elsewhere = _elsewhere(running)
                if not elsewhere:
                    yield _download(running, (first, pieces), offset, max_bytes)
                    return
                message = self._redirected(message, address, running.header().status, elsewhere)
            finally:
                pieces.close()
                curl.close()
        raise RedirectError(url, "redirected too often")

    def _explained(self, error: NetworkError | BodyTooLarge) -> TransferError:
        """Return what stands behind a connection that broke at the first bytes."""
        address = check_address(error.url, self.options)
        if isinstance(error, ConnectionLost) and with_port(address) in self.options.own_hosts:
            curl = self._prepare(Message("GET", error.url), address)
            return client_certificate.refusal(curl, error.url, self.options.cert_path) or error
        return error

    def _redirected(self, message: Message, address: Address, status: int, url: str) -> Message:
        """Return the request that is to be sent elsewhere."""
        there = check_address(url, self.options)
        if status == _SEE_OTHER:
            message = message._replace(method="GET", body=None)
        if message.body is not None and with_port(there) != with_port(address):
            raise RedirectError(address.url, f"sent to {there.host}, which is another host")
        if address.scheme == "https" and there.scheme != "https":
            raise RedirectError(address.url, f"sent to {there.url}, out of TLS")
        return message._replace(url=there.url)

    def _prepare(self, message: Message, address: Address) -> pycurl.Curl:
        options, curl = self.options, pycurl.Curl()
        is_own = with_port(address) in options.own_hosts
        try:
            _set_up(curl, options)
            curl.setopt(pycurl.URL, address.url)
            curl.setopt(
                pycurl.PROTOCOLS,
                pycurl.PROTO_HTTPS if address.scheme == "https" else pycurl.PROTO_HTTP,
            )
            curl.setopt(pycurl.CAINFO, options.ca_path if is_own else _others_ca(options))
            # Without this, Debian's libcurl would believe in /etc/ssl/certs besides.
            curl.unsetopt(pycurl.CAPATH)
            if is_own and options.cert_path:
                client_certificate.set_certificate(curl, options.cert_path, options.key_path)
            # Not to be asked first whether it may send.
            lines = ["Expect:"]
            if message.body is not None:
                curl.setopt(pycurl.POSTFIELDS, message.body)
                lines.append(header_line("Content-Type", message.content_type))
            curl.setopt(pycurl.CUSTOMREQUEST, message.method)
            curl.setopt(pycurl.HTTPHEADER, lines)
        except pycurl.error as exc:
            curl.close()
            raise FetchOptionError(f"Cannot set up HTTP: {exc.args[-1]}") from exc
        return curl

    def _multi(self) -> pycurl.CurlMulti:
        multi: pycurl.CurlMulti | None = getattr(self._local, "multi", None)
        if multi is None:
            multi = pycurl.CurlMulti()
            self._local.multi = multi
            with self._lock:
                self._multis.append(multi)
        return multi

    def close(self) -> None:
        """Close all connections; nobody may be sending any more."""
        with self._lock:
            for multi in self._multis:
                with suppress(pycurl.error):
                    multi.close()
            self._multis.clear()
            self._local = threading.local()


class _Unbegun(Exception):
    """Nothing came yet, so it can be asked for again."""

    def __init__(self, error: NetworkError | BodyTooLarge) -> None:
        self.error = error


def _elsewhere(running: Running) -> str:
    """Return where an answer sends us; empty if it does not."""
    if running.header().status not in _REDIRECTS:
        return ""
    url: str | None = running.curl.getinfo(pycurl.REDIRECT_URL)
    return url or ""


def _set_up(curl: pycurl.Curl, options: ExchangeOptions) -> None:
    setopt = curl.setopt
    setopt(pycurl.NOSIGNAL, 1)
    # A redirect is looked at here: libcurl would take our certificate to whoever asks for it.
    setopt(pycurl.FOLLOWLOCATION, 0)
    setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(options.connect_timeout_s * 1000)))
    setopt(pycurl.USERAGENT, options.user_agent)
    setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
    setopt(pycurl.LOW_SPEED_LIMIT, options.low_speed_limit_bytes)
    setopt(pycurl.LOW_SPEED_TIME, options.low_speed_time_s)
    if options.proxy:
        setopt(pycurl.PROXY, options.proxy)
    if options.no_proxy:
        setopt(pycurl.NOPROXY, options.no_proxy)


def _others_ca(options: ExchangeOptions) -> str:
    return options.other_ca_path or options.ca_path


def _allowed(header: Header, max_bytes: int) -> int:
    return max_bytes if header.status in {200, 201, 206} else REFUSAL_BYTES


def _reply(url: str, status: int, body: bytes, max_bytes: int) -> Reply:
    if not status:
        raise BadAnswer(url, "an answer without a status")
    if status >= 300:
        return Reply(status, url, body[:REFUSAL_BYTES])
    if len(body) > max_bytes:
        raise BodyTooLarge(url, max_bytes)
    return Reply(status, url, body)


def _download(
    running: Running, came: tuple[bytes, Iterator[bytes]], offset: int, max_bytes: int
) -> Download | Reply:
    first, pieces = came
    header = running.header()
    if header.status not in {200, 206}:
        return Reply(header.status, running.url, first[:REFUSAL_BYTES])
    part = header.content_range
    if header.status == 206 and (part is None or part.first != offset):
        raise BadAnswer(running.url, "another part than the one that was asked for")
    start = offset if header.status == 206 else 0
    length = running.curl.getinfo(_LENGTH)
    total = part.total if part is not None else (int(length) if length >= 0 else None)
    if total is not None and total > max_bytes:
        raise BodyTooLarge(running.url, max_bytes)
    chunks = _bounded(running.url, (first, pieces), start, max_bytes)
    return Download(header.status, running.url, start, total, chunks)


def _refusal(first: bytes, pieces: Iterator[bytes]) -> bytes:
    parts = [first]
    for piece in pieces:
        parts.append(piece)
        if sum(map(len, parts)) > REFUSAL_BYTES:
            break
    return b"".join(parts)


def _bounded(
    url: str, came: tuple[bytes, Iterator[bytes]], start: int, max_bytes: int
) -> Iterator[bytes]:
    first, pieces = came
    at = start + len(first)
    if at > max_bytes:
        raise BodyTooLarge(url, max_bytes)
    if first:
        yield first
    for piece in pieces:
        at += len(piece)
        if at > max_bytes:
            raise BodyTooLarge(url, max_bytes)
        yield piece


def check_url(url: str, options: ExchangeOptions) -> None:
    """Refuse a URL that no request may go to, before there is one.

    Raises:
        AddressError: It is none, or without TLS.
    """
    address = check_address(url, options)
    if not address.host:
        raise AddressError(f"{url!r} names no host")
