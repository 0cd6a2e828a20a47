# SPDX-License-Identifier: Apache-2.0
"""How a device speaks to the hosts of its own fleet, and to others. Pure."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from ostrya import __version__
from ostrya.fetch.addresses import parse_address
from ostrya.fetch.errors import AddressError, PlainTextRefused
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.fetch.addresses import Address


class ExchangeOptions(NamedTuple):
    """What is the same for all requests of a device.

    Attributes:
        ca_path: The only authorities that may vouch for a host, PEM.
        cert_path: Our certificate: PEM or ``pkcs11:``; empty for none.
        key_path: Its key, likewise.
        own_hosts: Hosts with their ports that are shown our certificate; no others are.
        other_ca_path: Authorities that vouch for other hosts; empty for ``ca_path``.
        proxy: A proxy's URL; without one libcurl looks at ``https_proxy`` and its like.
        no_proxy: Hosts that are asked without it, with commas between.
        user_agent: What we call ourselves.
        request_timeout_s: How long a small request may take, all in all.
        connect_timeout_s: How long a connection may take.
        low_speed_limit_bytes: What a download has to come with, a second.
        low_speed_time_s: For so long it may come slower.
        retries: How often a request is sent again where that may help.
        pause_s: How long is waited before that.
        max_redirects: How often a host may send us elsewhere, for one request.
        plain_on_loopback: Whether HTTP without TLS will do for this machine itself: in tests.
    """

    ca_path: str
    cert_path: str = ""
    key_path: str = ""
    own_hosts: frozenset[str] = frozenset()
    other_ca_path: str = ""
    proxy: str = ""
    no_proxy: str = ""
    user_agent: str = f"ostrya/{__version__}"
    request_timeout_s: float = 60
    connect_timeout_s: float = 60
    low_speed_limit_bytes: int = 5000
    low_speed_time_s: int = 60
    retries: int = 2
    pause_s: float = 1.0
    max_redirects: int = 10
    plain_on_loopback: bool = False


def check_address(url: str, options: ExchangeOptions) -> Address:
    """Return a URL taken apart, if it may be used.

    Raises:
        PlainTextRefused: Whoever listens could read what is said.
        AddressError: It is no URL, or one with a password, which would end in logs.
    """
    address = parse_address(url)
    if address.user or address.password:
        raise AddressError(f"{address.scheme}://{address.host} comes with a user or a password")
    if address.scheme == "https":
        return address
    if address.scheme == "http" and options.plain_on_loopback and is_loopback(address.host):
        return address
    raise PlainTextRefused(f"{address.url} is not https: whoever listens could read and change it")


def host_with_port(url: str) -> str:
    """Return the host of a URL and its port, whether it says it or not.

    Raises:
        AddressError: It is no URL.
    """
    return with_port(parse_address(url))


def with_port(address: Address) -> str:
    """Return a host and its port."""
    host = address.host
    if not host.rpartition(":")[2].isdigit() or host.endswith("]"):
        host = f"{host.rstrip(':')}:{443 if address.scheme == 'https' else 80}"
    return host


def is_loopback(host: str) -> bool:
    """Say whether a host, with or without its port, is this machine."""
    name = host
    if not host.endswith("]") and host.rpartition(":")[2].isdigit():
        name = host.rpartition(":")[0]
    name = name.strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
