# SPDX-License-Identifier: Apache-2.0
"""One libcurl handle, used for one request after another.

What comes is collected by methods of lists, not by functions of ours: an interrupt that lands in a
callback would be printed and forgotten by pycurl, and these methods are also the fastest. So limits
are enforced between calls of libcurl, which takes in a few hundred KiB at most in one, and by
libcurl itself.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.fetch.answer import Header, format_date
from ostrya.fetch.coding import ACCEPTED
from ostrya.fetch.curl import pycurl
from ostrya.fetch.errors import FetchOptionError
from ostrya.fetch.http_options import HttpOptions, header_line

if TYPE_CHECKING:
    from ostrya.fetch.addresses import Address
    from ostrya.fetch.job import Job

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_HTTP = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
_BUFFER_BYTES = 64 * 1024
# Debian 12 has a pycurl without the newer one.
_SIZE_DOWNLOAD = getattr(pycurl, "SIZE_DOWNLOAD_T", pycurl.SIZE_DOWNLOAD)
# The page that comes with a refusal is read to keep the connection, unless it is longer.
_REFUSAL_BYTES = 64 * 1024
# What libcurl may read of a page that comes with a redirect, between two looks at it.
_REDIRECT_BYTES = 1024 * 1024
# Headers of an answer and of all redirects and announcements before it. Older versions of libcurl
# limit the length of a line, not their number.
_HEADER_LINES = 256
_HEADER_BYTES = 512 * 1024


class Transfer:
    """A handle and what it has received.

    Attributes:
        curl: The handle.
        job: What it works on; None while it is idle.
        header: What the answer's header says, once its body began.
        start: The first byte that was asked for.
        received: Bytes of any body that came.
    """

    __slots__ = (
        "_base_headers",
        "_chunks",
        "_has_user",
        "_lines",
        "_max_file",
        "_options",
        "_own_headers",
        "_ranged",
        "_scheme",
        "curl",
        "header",
        "job",
        "received",
        "start",
    )

    def __init__(self, options: HttpOptions) -> None:
        self._options = options
        self._chunks: list[bytes] = []
        self._lines: list[bytes] = []
        self._base_headers = [header_line(*header) for header in options.headers]
        self._own_headers = self._has_user = self._ranged = False
        self._max_file = 0
        self._scheme = ""
        self.job: Job | None = None
        self.header: Header | None = None
        self.start = self.received = 0
        self.curl = pycurl.Curl()
        try:
            self._set_up()
        except pycurl.error as exc:
            raise FetchOptionError(f"Cannot set up HTTP: {exc.args[-1]}") from exc

    def _set_up(self) -> None:
        options, setopt = self._options, self.curl.setopt
        setopt(pycurl.NOSIGNAL, 1)
        setopt(pycurl.WRITEFUNCTION, self._chunks.append)
        setopt(pycurl.HEADERFUNCTION, self._lines.append)
        setopt(pycurl.PROTOCOLS, _HTTP)
        setopt(pycurl.FOLLOWLOCATION, 1)
        setopt(pycurl.MAXREDIRS, options.max_redirects)
        setopt(pycurl.CONNECTTIMEOUT, options.connect_timeout_s)
        setopt(pycurl.USERAGENT, options.user_agent)
        setopt(pycurl.BUFFERSIZE, _BUFFER_BYTES)
        if self._base_headers:
            self._set_headers(self._base_headers)
        http2 = pycurl.CURL_HTTP_VERSION_2TLS if options.http2 else pycurl.CURL_HTTP_VERSION_1_1
        setopt(pycurl.HTTP_VERSION, http2)
        if options.proxy:
            setopt(pycurl.PROXY, options.proxy)
        if options.cookie_file:
            setopt(pycurl.COOKIEFILE, options.cookie_file)
        self._set_up_tls()

    def _set_up_tls(self) -> None:
        options, setopt = self._options, self.curl.setopt
        bundle = options.tls_ca_path or next(filter(os.path.exists, SYSTEM_BUNDLES), "")
        if bundle:
            setopt(pycurl.CAINFO, bundle)
        if options.tls_ca_path:
            # Debian's libcurl would believe in /etc/ssl/certs besides.
            self.curl.unsetopt(pycurl.CAPATH)
        if options.tls_permissive:
            setopt(pycurl.SSL_VERIFYPEER, 0)
        cert, key = options.tls_client_cert_path, options.tls_client_key_path
        if not cert:
            return
        if key.startswith("pkcs11:"):
            setopt(pycurl.SSLENGINE, "pkcs11")
            setopt(pycurl.SSLENGINE_DEFAULT, 1)
            setopt(pycurl.SSLKEYTYPE, "ENG")
        if cert.startswith("pkcs11:"):
            setopt(pycurl.SSLCERTTYPE, "ENG")
        setopt(pycurl.SSLCERT, cert)
        setopt(pycurl.SSLKEY, key or cert)

    def begin(self, job: Job, address: Address) -> None:
        """Make the handle ready for a try of a job.

        Raises:
            FetchOptionError: A header of the request is none.
        """
        setopt, request = self.curl.setopt, job.request
        self._chunks.clear()
        self._lines.clear()
        self.job = job
        self.header = None
        self.received = 0
        self.start = request.offset + job.body.size
        setopt(pycurl.URL, address.url)
        self._keep_to_scheme(address.scheme)
        if address.user or address.password or self._has_user:
            self._set_user(address)
        if self.start or self._ranged:
            self._set_range()
        if job.max_bytes != self._max_file:
            # For libcurl, 0 is no limit.
            setopt(pycurl.MAXFILESIZE_LARGE, max(1, job.max_bytes))
            self._max_file = job.max_bytes
        headers = _headers_of(job)
        if headers or self._own_headers:
            self._set_headers(self._base_headers + headers)
            self._own_headers = bool(headers)

    def _keep_to_scheme(self, scheme: str) -> None:
        """Let redirects lead from HTTP to HTTPS, but not back, and nowhere else."""
        if scheme == self._scheme:
            return
        self._scheme = scheme
        is_https = scheme == "https"
        self.curl.setopt(pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTPS if is_https else _HTTP)
        # Rather wait for a connection that can carry many than open one for each request.
        self.curl.setopt(pycurl.PIPEWAIT, int(is_https and self._options.http2))

    def _set_user(self, address: Address) -> None:
        self._has_user = bool(address.user or address.password)
        for option, text in ((pycurl.USERNAME, address.user), (pycurl.PASSWORD, address.password)):
            if self._has_user:
                self.curl.setopt(option, text.encode())
            else:
                self.curl.unsetopt(option)

    def _set_range(self) -> None:
        self._ranged = self.start > 0
        if self._ranged:
            self.curl.setopt(pycurl.RANGE, f"{self.start}-")
        else:
            self.curl.unsetopt(pycurl.RANGE)

    def _set_headers(self, lines: list[str]) -> None:
        if lines:
            self.curl.setopt(pycurl.HTTPHEADER, [line.encode() for line in lines])
        else:
            # An empty list would leave those of the request before.
            self.curl.unsetopt(pycurl.HTTPHEADER)

    def watch_speed(self, sharing: int) -> None:
        """Say how slow is too slow for one of so many that share the link."""
        options = self._options
        if options.low_speed_limit_bytes > 0 and options.low_speed_time_s > 0:
            share = max(1, options.low_speed_limit_bytes // sharing)
            self.curl.setopt(pycurl.LOW_SPEED_LIMIT, share)
            self.curl.setopt(pycurl.LOW_SPEED_TIME, options.low_speed_time_s)

    def absorb(self) -> bool:
        """Move what came into the job's body; say whether the transfer may go on.

        Raises:
            OstryaError: There is no room for it.
            OSError: The disk does not take it.
        """
        chunks, job = self._chunks, self.job
        if not chunks or job is None:
            return True
        header = self.final_header()
        grown = sum(map(len, chunks))
        self.received += grown
        if header.status not in {200, 206}:
            chunks.clear()
            return self.received <= _REFUSAL_BYTES
        fits = job.take(chunks, grown)
        chunks.clear()
        return fits

    def final_header(self) -> Header:
        """Return what the answer's header says, body or no body."""
        if self.header is None:
            self.header = Header.parse(self._lines)
            if self.start and self.header.status == 200:
                # The server does not do ranges, or it has another version by now.
                self.start = 0
                if self.job is not None:
                    self.job.start_over()
        return self.header

    @property
    def is_flooded(self) -> bool:
        """Whether much comes that libcurl keeps to itself: the page that comes with a redirect."""
        unseen = self.curl.getinfo(_SIZE_DOWNLOAD) - self.received
        return bool(unseen > _REDIRECT_BYTES)

    @property
    def has_endless_header(self) -> bool:
        """Whether more lines of headers came than any server has reason to send."""
        lines = self._lines
        return len(lines) > _HEADER_LINES and sum(map(len, lines)) > _HEADER_BYTES

    @property
    def is_multiplexed(self) -> bool:
        """Whether its connection carries many requests at a time."""
        version = self.curl.getinfo(pycurl.INFO_HTTP_VERSION)
        return bool(version >= pycurl.CURL_HTTP_VERSION_2_0)


def _headers_of(job: Job) -> list[str]:
    """Return the headers of a try that are not those of every request."""
    request = job.request
    lines = [header_line(*header) for header in request.headers] if request.headers else []
    if request.etag is not None:
        lines.append(header_line("If-None-Match", request.etag))
    if request.last_modified is not None:
        lines.append(f"If-Modified-Since: {format_date(request.last_modified)}")
    if request.compressed and not job.body.size:
        lines.append(f"Accept-Encoding: {ACCEPTED}")
    if job.body.size and job.tag is not None:
        lines.append(header_line("If-Range", job.tag))
    return lines
