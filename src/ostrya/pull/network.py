# SPDX-License-Identifier: Apache-2.0
"""How the servers of a remote are spoken to: its settings, and what one pull overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.retry import RetryPolicy
from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import RemoteRefusal

if TYPE_CHECKING:
    from ostrya.repo.remote_settings import RemoteSettings
    from ostrya.repo.repository import Repository


class NetworkOptions(NamedTuple):
    """What one pull says of the network; None leaves it to the remote, or to the defaults.

    Attributes:
        headers: Names and values sent with every request.
        user_agent: What we call ourselves.
        append_user_agent: Added to what we call ourselves.
        retries: How often a request is tried again.
        low_speed_limit_bytes: What a link must carry a second to count as alive.
        low_speed_time_s: How long it may carry less.
        max_in_flight: The most requests at a time.
    """

    headers: tuple[tuple[str, str], ...] = ()
    user_agent: str | None = None
    append_user_agent: str | None = None
    retries: int | None = None
    low_speed_limit_bytes: int | None = None
    low_speed_time_s: int | None = None
    max_in_flight: int | None = None


def http_options(
    repo: Repository, settings: RemoteSettings, network: NetworkOptions
) -> HttpOptions:
    """Put a remote's settings and those of one pull together.

    Raises:
        RemoteRefusal: The settings contradict themselves.
    """
    defaults = HttpOptions()
    cert, key = settings.text("tls-client-cert-path"), settings.text("tls-client-key-path")
    if (cert is None) != (key is None):
        raise RemoteRefusal(
            f'Remote "{settings.name}" must specify both "tls-client-cert-path" and '
            '"tls-client-key-path"'
        )
    agent = network.user_agent or defaults.user_agent
    if network.append_user_agent:
        agent = f"{agent} {network.append_user_agent}"
    return HttpOptions(
        user_agent=agent,
        headers=network.headers,
        proxy=settings.text("proxy") or "",
        cookie_file="" if settings.is_address else f"{repo.path}/{settings.name}.cookies.txt",
        tls_permissive=settings.boolean("tls-permissive", default=False),
        tls_client_cert_path=cert or "",
        tls_client_key_path=key or "",
        tls_ca_path=settings.text("tls-ca-path") or "",
        http2=settings.boolean("http2", default=True),
        retry=RetryPolicy() if network.retries is None else RetryPolicy(network.retries),
        low_speed_limit_bytes=_or(network.low_speed_limit_bytes, defaults.low_speed_limit_bytes),
        low_speed_time_s=_or(network.low_speed_time_s, defaults.low_speed_time_s),
        max_in_flight=_or(network.max_in_flight, defaults.max_in_flight),
    )


def require_pullable(settings: RemoteSettings) -> None:
    """Refuse a remote whose settings say that it cannot be pulled from.

    Raises:
        RemoteRefusal: It is not set up yet, or belongs to another program.
    """
    state = settings.text("unconfigured-state")
    if state is not None:
        raise RemoteRefusal(f"remote unconfigured-state: {state}")
    backend = settings.text("custom-backend")
    if backend is not None:
        raise RemoteRefusal(
            f"Cannot fetch via libostree - remote '{settings.name}' uses custom backend '{backend}'"
        )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
