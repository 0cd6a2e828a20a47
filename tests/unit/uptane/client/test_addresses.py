# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.client.addresses import addresses
from ostrya.uptane.client.config import (
    ClientConfig,
    PacmanSection,
    ProvisionSection,
    UptaneSection,
)


def test_addresses():
    found = addresses(ClientConfig(), "https://gate/")
    assert found.devices == "https://gate/devices"
    assert found.ecus == "https://gate/director/ecus"
    assert found.treehub == "https://gate/treehub"
    config = ClientConfig(
        provision=ProvisionSection(server="https://p"),
        uptane=UptaneSection(director_server="https://d/", repo_server="https://r"),
        pacman=PacmanSection(ostree_server="https://t/"),
    )
    found = addresses(config, "https://gate")
    assert (found.devices, found.director, found.repo) == (
        "https://p/devices", "https://d", "https://r",
    )  # fmt: skip
    assert (found.ecus, found.treehub) == ("https://d/ecus", "https://t")
