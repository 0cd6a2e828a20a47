# SPDX-License-Identifier: Apache-2.0
"""HTTP requests that carry something to a server: one at a time per thread, on kept connections.

Each thread that uses a sender has a handle of libcurl's own. Requests that fail in a way that may
pass are sent again, so they have to be such that twice is no harm.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ostrya.fetch.addresses import hide_password, parse_address
from ostrya.fetch.answer import Header
from ostrya.fetch.curl import pycurl
from ostrya.fetch.errors import BodyTooLarge, FetchOptionError, NetworkError, TlsError
from ostrya.fetch.http_options import header_line
from ostrya.fetch.retry import is_transient
from ostrya.fetch.transfer import SYSTEM_BUNDLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.fetch.http_options import HttpOptions

_TLS_CODES = frozenset({35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98})


@dataclass(frozen=True, slots=True)
class Upload:
    """What a request carries.

    Attributes:
        data: The bytes, unless they are in a file.
        fd: That file, which is read by position from its beginning; else -1.
        size: How many bytes there are.
    """

    data: bytes = b""
    fd: int = -1
    size: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: Its code.
        url: Who was asked, without user and password.
        body: What came.
    """

    status: int
    url: str
    body: bytes = b""


class HttpSender:
    """Sends requests to servers; used from many threads at once."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options
        self._local = threading.local()
        self._lock = threading.Lock()
        self._handles: list[pycurl.Curl] = []

    def send(
        self,
        method: str,
        url: str,
        upload: Upload | None = None,
        *,
        headers: Iterable[tuple[str, str]] = (),
        max_bytes: int = 1 << 20,
    ) -> Answer:
        """Send a request, again if that may help, and return the answer, whatever its status.

        Args:
            method: GET, HEAD, POST, PUT or DELETE.
            url: Where to.
            upload: What it carries.
            headers: Besides those of every request.
            max_bytes: How long the answer may be.

        Raises:
            NetworkError: There is no answer.
            TlsError: The two ends cannot agree on who they are.
            BodyTooLarge: The answer is longer than that.
        """
        lines = [header_line(*header) for header in (*self._options.headers, *headers)]
        policy = self._options.retry
        failures = 0
        while True:
            try:
                answer = self._send_once(method, url, upload, lines, max_bytes)
                if not is_transient(answer.status) or failures >= policy.retries:
                    return answer
            except NetworkError:
                if failures >= policy.retries:
                    raise
            failures += 1
            import random

            time.sleep(policy.delay_s(failures, random.random()))  # noqa: S311  # spreads clients

    def _send_once(
        self, method: str, url: str, upload: Upload | None, lines: list[str], max_bytes: int
    ) -> Answer:
        address = parse_address(url)
        curl = self._handle()
        body: list[bytes] = []
        header: list[bytes] = []
        try:
            self._set_up(curl)
            curl.setopt(pycurl.URL, address.url)
            if address.user or address.password:
                curl.setopt(pycurl.USERPWD, f"{address.user}:{address.password}".encode())
            curl.setopt(pycurl.WRITEFUNCTION, body.append)
            curl.setopt(pycurl.HEADERFUNCTION, header.append)
            if method != "HEAD":
                # Of that, the length is told, but nothing of the body comes.
                curl.setopt(pycurl.MAXFILESIZE_LARGE, max_bytes)
            _set_method(curl, method, upload)
            # Not to be asked first whether it may send: that is another journey for each object.
            curl.setopt(pycurl.HTTPHEADER, [line.encode() for line in (*lines, "Expect:")])
        except pycurl.error as exc:
            raise FetchOptionError(f"Cannot set up HTTP: {exc.args[-1]}") from exc
        try:
            curl.perform()
        except pycurl.error as exc:
            raise _failure(hide_password(url), exc, max_bytes) from exc
        data = b"".join(body)
        if len(data) > max_bytes:
            raise BodyTooLarge(hide_password(url), max_bytes)
        return Answer(Header.parse(header).status, hide_password(url), data)

    def _handle(self) -> pycurl.Curl:
        curl: pycurl.Curl | None = getattr(self._local, "curl", None)
        if curl is None:
            curl = pycurl.Curl()
            self._local.curl = curl
            with self._lock:
                self._handles.append(curl)
        return curl

    def _set_up(self, curl: pycurl.Curl) -> None:
        options, setopt = self._options, curl.setopt
        # Keeps its connections.
        curl.reset()
        setopt(pycurl.NOSIGNAL, 1)
        setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        # What is sent goes to whom it was meant for, and to nobody else.
        setopt(pycurl.FOLLOWLOCATION, 0)
        setopt(pycurl.CONNECTTIMEOUT, options.connect_timeout_s)
        setopt(pycurl.USERAGENT, options.user_agent)
        http2 = pycurl.CURL_HTTP_VERSION_2TLS if options.http2 else pycurl.CURL_HTTP_VERSION_1_1
        setopt(pycurl.HTTP_VERSION, http2)
        if options.proxy:
            setopt(pycurl.PROXY, options.proxy)
        if options.low_speed_limit_bytes > 0 and options.low_speed_time_s > 0:
            setopt(pycurl.LOW_SPEED_LIMIT, options.low_speed_limit_bytes // 16 or 1)
            setopt(pycurl.LOW_SPEED_TIME, options.low_speed_time_s)
        bundle = options.tls_ca_path or next(filter(os.path.exists, SYSTEM_BUNDLES), "")
        if bundle:
            setopt(pycurl.CAINFO, bundle)
        if options.tls_ca_path:
            # Debian's libcurl would believe in /etc/ssl/certs besides.
            curl.unsetopt(pycurl.CAPATH)
        if options.tls_client_p12_path:
            setopt(pycurl.SSLCERTTYPE, "P12")
            setopt(pycurl.SSLCERT, options.tls_client_p12_path)
            setopt(pycurl.KEYPASSWD, "")
        elif options.tls_client_cert_path:
            setopt(pycurl.SSLCERT, options.tls_client_cert_path)
            setopt(pycurl.SSLKEY, options.tls_client_key_path or options.tls_client_cert_path)

    def close(self) -> None:
        """Close all connections; nobody may be sending any more."""
        with self._lock:
            for curl in self._handles:
                curl.close()
            self._handles.clear()


def _set_method(curl: pycurl.Curl, method: str, upload: Upload | None) -> None:
    if upload is None:
        if method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        elif method != "GET":
            curl.setopt(pycurl.CUSTOMREQUEST, method)
        return
    curl.setopt(pycurl.CUSTOMREQUEST, method)
    if upload.fd == -1:
        curl.setopt(pycurl.POSTFIELDS, upload.data)
        return
    curl.setopt(pycurl.UPLOAD, 1)
    curl.setopt(pycurl.READFUNCTION, _Reader(upload.fd).read)
    curl.setopt(pycurl.INFILESIZE_LARGE, upload.size)


class _Reader:
    """Reads a file by position: others may read it too."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._at = 0

    def read(self, count: int) -> bytes:
        piece = os.pread(self._fd, count, self._at)
        self._at += len(piece)
        return piece


def _failure(
    url: str, error: pycurl.error, max_bytes: int
) -> NetworkError | TlsError | BodyTooLarge:
    code, words = error.args[0], str(error.args[-1])
    if code == pycurl.E_FILESIZE_EXCEEDED:
        return BodyTooLarge(url, max_bytes)
    reason = f"[{code}] {words}"
    return TlsError(url, reason) if code in _TLS_CODES else NetworkError(url, reason)
