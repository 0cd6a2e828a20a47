# SPDX-License-Identifier: Apache-2.0
"""Where everything is, once the gateway is known. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.uptane.client.config import ClientConfig


class Addresses(NamedTuple):
    """Where everything is, once the gateway is known.

    Attributes:
        gateway: Without a slash at its end.
        devices: Where devices are provisioned.
        director: The Director.
        repo: The Image repository.
        ecus: Where ECUs are registered.
        treehub: The OSTree repository.
    """

    gateway: str
    devices: str
    director: str
    repo: str
    ecus: str
    treehub: str


def addresses(config: ClientConfig, gateway: str) -> Addresses:
    """Return where everything is, of a gateway."""
    gateway = gateway.rstrip("/")
    director = config.uptane.director_server.rstrip("/") or f"{gateway}/director"
    return Addresses(
        gateway,
        f"{config.provision.server.rstrip('/') or gateway}/devices",
        director,
        config.uptane.repo_server.rstrip("/") or f"{gateway}/repo",
        config.provision.ecu_registration_endpoint or f"{director}/ecus",
        config.pacman.ostree_server.rstrip("/") or f"{gateway}/treehub",
    )
