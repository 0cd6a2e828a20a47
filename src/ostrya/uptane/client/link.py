# SPDX-License-Identifier: Apache-2.0
"""The link to the server: HTTPS, with the device's certificate, to nobody but the fleet's own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from ostrya.errors import FetchError
from ostrya.fetch.errors import (
    AddressError,
    BodyTooLarge,
    CertificateNotTaken,
    FetchOptionError,
    NetworkError,
    PlainTextRefused,
    StalledError,
    TlsError,
    TransferError,
)
from ostrya.fetch.exchange import Download, Exchange, Message, Reply, check_url
from ostrya.fetch.exchange_options import ExchangeOptions, host_with_port
from ostrya.uptane.client.answers import MAX_CAMPAIGNS_BYTES, read_campaigns, read_refusal
from ostrya.uptane.client.server import EventsOutcome, ImageBody, Treehub
from ostrya.uptane.client.tls_dates import find_date_fault
from ostrya.uptane.errors import (
    AnswerTooLarge,
    AnswerUnusable,
    CertificateRefused,
    ClockWrong,
    ConfigError,
    IdentityError,
    ServerError,
    ServerRefused,
    ServerTooSlow,
    ServerUnreachable,
    ServerUntrusted,
    UptaneRefusal,
)
from ostrya.uptane.steps import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostrya.uptane.client.addresses import Addresses
    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.server import Campaign, DeviceDataKind
    from ostrya.uptane.client.tls_dates import DateFault
    from ostrya.uptane.client.tls_files import TlsFiles
    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.steps import Wanted

# What old demonstrations have where there is no address.
NO_ADDRESS = "https://example.com/"
_KEYS_IN_THE_MAKING = frozenset({423, 424})


_LATER = "it is asked again later"
# The narrower first.
_MEANINGS: tuple[tuple[type[FetchError], type[ServerError], str, str], ...] = (
    (
        TlsError,
        ServerUntrusted,
        "whoever answers is not the fleet's server: ",
        "nothing was sent; see that the authority and the clock are right",
    ),
    (PlainTextRefused, ServerUntrusted, "", "nothing was sent; the address has to be https"),
    (StalledError, ServerTooSlow, "it is too slow: ", _LATER),
    (NetworkError, ServerUnreachable, "it cannot be reached: ", _LATER),
)


def exchange_options(config: ClientConfig, tls: TlsFiles, urls: Sequence[str]) -> ExchangeOptions:
    """Return how the hosts of some URLs are spoken to.

    Raises:
        ServerUntrusted: One is without TLS.
        ConfigError: One is no URL.
    """
    network = config.network
    options = ExchangeOptions(
        tls.ca_path,
        tls.cert_path,
        tls.key_path,
        other_ca_path=config.tls.image_ca_path,
        proxy=network.proxy,
        no_proxy=network.no_proxy,
        request_timeout_s=network.request_timeout_sec,
        connect_timeout_s=network.request_timeout_sec,
        low_speed_limit_bytes=network.low_speed_limit,
        low_speed_time_s=network.low_speed_time_sec,
        retries=network.retries,
        max_redirects=network.max_redirects,
        plain_on_loopback=config.tls.plain_http_on_loopback,
    )
    hosts = set()
    for url in urls:
        try:
            check_url(url, options)
            hosts.add(host_with_port(url))
        except PlainTextRefused as exc:
            raise told(url, exc) from exc
        except AddressError as exc:
            raise ConfigError(exc.message, hint="write an address with https://") from exc
    return options._replace(own_hosts=frozenset(hosts))


class Link:
    """A ``Server`` that is one.

    Attributes:
        addresses: Where everything is.
    """

    def __init__(self, config: ClientConfig, tls: TlsFiles, addresses: Addresses) -> None:
        """Begin without a connection.

        Raises:
            ServerUntrusted: An address is without TLS.
            ConfigError: An address is none.
        """
        self.addresses = addresses
        self._options = exchange_options(config, tls, addresses)
        self._exchange = Exchange(self._options)

    def fetch_metadata(self, wanted: Wanted) -> bytes | None:
        """Return a file of a repository; None only if the server says that there is none."""
        is_director = wanted.repository is Repository.DIRECTOR
        base = self.addresses.director if is_director else self.addresses.repo
        url = f"{base}/{quote(wanted.file)}"
        reply = self._ask(Message("GET", url, max_bytes=wanted.max_bytes))
        return None if reply.status == 404 else _require(reply).body

    def put_manifest(self, body: bytes) -> None:
        """Hand in what the vehicle runs."""
        url = f"{self.addresses.director}/manifest"
        _require(self._ask(Message("PUT", url, body)))

    @contextmanager
    def open_image(self, name: str, uri: str, offset: int, max_bytes: int) -> Iterator[ImageBody]:
        """Begin to download an image."""
        url = uri
        if not uri or uri == NO_ADDRESS:
            url = f"{self.addresses.repo}/targets/{quote(name)}"
        try:
            with self._exchange.download(url, offset, max_bytes) as found:
                if isinstance(found, Reply):
                    _require(found)
                    raise AnswerUnusable(found.url, f"status {found.status} with no image")
                yield ImageBody(found.offset, found.total, _chunks(url, found))
        except FetchError as exc:
            raise told(url, exc, self._options) from exc

    def treehub(self, uri: str = "") -> Treehub:
        """Return how commits are pulled."""
        url = self.addresses.treehub if uri in {"", NO_ADDRESS} else uri.rstrip("/")
        options = self._options
        try:
            check_url(url, options)
            is_own = host_with_port(url) in options.own_hosts
        except FetchError as exc:
            raise told(url, exc) from exc
        if is_own:
            return Treehub(url, options.ca_path, options.cert_path, options.key_path, options.proxy)
        return Treehub(url, options.other_ca_path or options.ca_path, "", "", options.proxy)

    def send_events(self, events: Sequence[Object]) -> EventsOutcome:
        """Hand in events."""
        body = json.dumps(list(events), separators=(",", ":")).encode()
        reply = self._ask(Message("POST", f"{self.addresses.gateway}/events", body))
        if reply.status == 404:
            return EventsOutcome.NOT_THERE
        if reply.status == 413:
            return EventsOutcome.TOO_LARGE
        _require(reply)
        return EventsOutcome.TAKEN

    def send_device_data(self, kind: DeviceDataKind, body: bytes) -> None:
        """Tell something of the device."""
        url = f"{self.addresses.gateway}/{kind.path}"
        _require(self._ask(Message(kind.method, url, body, kind.content_type)))

    def campaigns(self) -> tuple[Campaign, ...]:
        """Return what the user is to be asked about."""
        url = f"{self.addresses.gateway}/campaigner/campaigns"
        reply = self._ask(Message("GET", url, max_bytes=MAX_CAMPAIGNS_BYTES))
        try:
            return read_campaigns(_require(reply).body)
        except UptaneRefusal as exc:
            raise AnswerUnusable(url, exc.message) from exc

    def register_ecus(self, body: bytes) -> None:
        """Tell the Director of the vehicle's ECUs."""
        _require(self._ask(Message("POST", self.addresses.ecus, body)))

    def _ask(self, message: Message) -> Reply:
        return ask(self._exchange, message)

    def close(self) -> None:
        """End all connections."""
        self._exchange.close()


def ask(exchange: Exchange, message: Message, *, retries: int | None = None) -> Reply:
    """Send a request and return the answer, whatever its status.

    Raises:
        ServerError: There is none.
    """
    try:
        return exchange.send(message, retries=retries)
    except FetchError as exc:
        raise told(message.url, exc, exchange.options) from exc


def _require(reply: Reply) -> Reply:
    """Return an answer that says yes.

    Raises:
        ServerRefused: It says no.
    """
    if 200 <= reply.status < 300:
        return reply
    raise refused(reply)


def refused(reply: Reply) -> ServerRefused:
    """Return the error that an answer is."""
    refusal = read_refusal(reply.status, reply.body)
    if refusal.is_about_certificate:
        return _certificate_refused(reply.url, reply.status, refusal.code, refusal.description)
    hint = ""
    if reply.status in _KEYS_IN_THE_MAKING:
        hint = "the server is still making the keys of this repository; it is asked again later"
    elif reply.status >= 500:
        hint = "the server has trouble of its own; it is asked again later"
    elif reply.status == 404:
        hint = "see whether the address in the configuration is the gateway's"
    return ServerRefused(reply.url, reply.status, refusal.code, refusal.description, hint=hint)


def _certificate_refused(url: str, status: int, code: str, description: str) -> CertificateRefused:
    return CertificateRefused(
        url,
        status,
        code,
        description or "it does not take the device's certificate",
        hint="it was revoked, has expired, or is another fleet's; provision the device again",
    )


def told(
    url: str, error: FetchError, options: ExchangeOptions | None = None
) -> ServerError | IdentityError:
    """Say what an error of the transport means for a device.

    Args:
        url: Who was asked.
        error: What came of it.
        options: How it was asked; with them it is seen whether the clock is to blame.
    """
    where = error.url if isinstance(error, TransferError) else url
    reason = error.reason if isinstance(error, TransferError) else error.message
    if isinstance(error, CertificateNotTaken):
        return _certificate_refused(where, 0, "", reason)
    if isinstance(error, BodyTooLarge):
        return AnswerTooLarge(where, error.max_bytes)
    if isinstance(error, FetchOptionError):
        hint = "see whether the device's certificate and key can be read"
        return IdentityError(error.message, hint=hint)
    if isinstance(error, TlsError) and options is not None and "certificate" in reason:
        fault = find_date_fault(where, options)
        if fault is not None:
            return _not_in_date(where, fault)
    for kind, meaning, words, hint in _MEANINGS:
        if isinstance(error, kind):
            return meaning(where, f"{words}{reason}", hint=hint)
    return AnswerUnusable(where, reason)


def _not_in_date(url: str, fault: DateFault) -> ServerUntrusted:
    if fault.is_early:
        hint = "set the clock; nothing was sent, and it is tried again later"
        return ClockWrong(url, f"it cannot be believed: {fault.words}", hint=hint)
    hint = "set the clock if it is wrong; if not, the server needs a new certificate"
    return ServerUntrusted(url, f"it cannot be believed: {fault.words}", hint=hint)


def _chunks(url: str, found: Download) -> Iterator[bytes]:
    try:
        yield from found.chunks
    except FetchError as exc:
        raise told(url, exc) from exc
