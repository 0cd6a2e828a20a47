# SPDX-License-Identifier: Apache-2.0
"""How a remote is spoken to. Pure."""

from __future__ import annotations

import re

from ostrya import __version__
from ostrya.fetch.errors import FetchOptionError
from ostrya.fetch.retry import RetryPolicy
from ostrya.named_tuple import NamedTuple

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PATIENCE = RetryPolicy()
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


class HttpOptions(NamedTuple):
    """What is the same for all requests to a remote.

    Attributes:
        user_agent: What we call ourselves, and what is appended to it.
        headers: Names and values sent with every request.
        proxy: A proxy's URL; without one libcurl looks at ``http_proxy`` and its like.
        cookie_file: A cookie jar in Netscape's format; nothing is written to it.
        tls_permissive: Take any certificate.
        tls_client_cert_path: Our certificate, PEM or ``pkcs11:``.
        tls_client_key_path: Its key, PEM or ``pkcs11:``.
        tls_client_p12_path: Both in one, PKCS#12 with an empty password; only of what is sent.
        tls_ca_path: A bundle of the authorities to trust, in place of the system's.
        http2: Whether to ask for HTTP/2 over TLS.
        retry: How often and when to try again.
        connect_timeout_s: How long a connection may take.
        low_speed_limit_bytes: What a link must carry a second to count as alive; 0 for anything.
        low_speed_time_s: How long it may carry less; 0 for ever.
        max_redirects: How often a server may send us elsewhere, for one request.
        max_in_flight: The most requests at a time; 0 for as many as the protocol bears.
    """

    user_agent: str = f"ostrya/{__version__}"
    headers: tuple[tuple[str, str], ...] = ()
    proxy: str = ""
    cookie_file: str = ""
    tls_permissive: bool = False
    tls_client_cert_path: str = ""
    tls_client_key_path: str = ""
    tls_client_p12_path: str = ""
    tls_ca_path: str = ""
    http2: bool = True
    retry: RetryPolicy = _PATIENCE
    connect_timeout_s: int = 30
    low_speed_limit_bytes: int = 1000
    low_speed_time_s: int = 30
    max_redirects: int = 10
    max_in_flight: int = 0


def header_line(name: str, value: str) -> str:
    """Return a header as one line.

    Raises:
        FetchOptionError: It would not be one line, or not a header.
    """
    if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
        raise FetchOptionError(f"Invalid HTTP header {name!r}")
    # An empty value needs a semicolon for libcurl: a colon alone would take the header away.
    return f"{name}: {value}" if value.strip() else f"{name};"
