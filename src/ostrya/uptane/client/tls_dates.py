# SPDX-License-Identifier: Apache-2.0
"""Whether it is the device's clock for which a server is not believed.

Libraries of TLS compare certificates with the clock, and say little of what they found. Here it is
looked up: when the fleet's authority, and what the server shows, are valid.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ostrya.fetch.peer_certificate import peer_certificate
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.fields import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from ostrya.fetch.exchange_options import ExchangeOptions

_HTTPS = 443
_MOST_S = 10.0
_MAX_CA_BYTES = 1024 * 1024


class Validity(NamedTuple):
    """When a certificate is valid.

    Attributes:
        whose: What it is, in words.
        start: From when.
        end: Until when.
    """

    whose: str
    start: datetime
    end: datetime


class DateFault(NamedTuple):
    """Why a certificate is not valid just now.

    Attributes:
        words: In a sentence.
        is_early: Whether the clock says a time at which it was not valid yet.
    """

    words: str
    is_early: bool


def find_date_fault(url: str, options: ExchangeOptions) -> DateFault | None:
    """Return what of the certificates is not valid by the clock; None if all are, or none is known.

    Args:
        url: Of a server that was not believed.
        options: How it was spoken to.
    """
    # What the libraries compare with: the clock as it is, not the time that we take it for.
    clock = datetime.now(UTC)
    found = fault_of(_authorities(options.ca_path), clock)
    if found is None and not options.proxy:
        found = fault_of(_server(url, options.connect_timeout_s), clock)
    return found


def fault_of(certificates: Iterable[Validity], clock: datetime) -> DateFault | None:
    """Return the first fault of some certificates; None for none."""
    for one in certificates:
        if clock < one.start:
            words = f"the clock says {format_time(clock)}, and {one.whose} is valid from"
            return DateFault(f"{words} {format_time(one.start)}", is_early=True)
        if clock > one.end:
            words = f"{one.whose} was valid until {format_time(one.end)}, and the clock says"
            return DateFault(f"{words} {format_time(clock)}", is_early=False)
    return None


def _authorities(path: str) -> list[Validity]:
    from cryptography import x509

    try:
        with open(path, "rb") as file:
            found = x509.load_pem_x509_certificates(file.read(_MAX_CA_BYTES))
    except (OSError, ValueError, x509.InvalidVersion):
        return []
    # With several, any of them may be the one: only one alone is to blame.
    return [_validity(found[0], "the authority's certificate")] if len(found) == 1 else []


def _server(url: str, timeout_s: float) -> list[Validity]:
    from cryptography import x509

    address = urlsplit(url)
    if address.scheme != "https" or not address.hostname:
        return []
    host, port = address.hostname, address.port or _HTTPS
    try:
        der = peer_certificate(host, port, min(timeout_s, _MOST_S))
        found = None if der is None else x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        found = None
    return [] if found is None else [_validity(found, f"the certificate of {host}")]


def _validity(certificate: x509.Certificate, whose: str) -> Validity:
    return Validity(whose, certificate.not_valid_before_utc, certificate.not_valid_after_utc)
