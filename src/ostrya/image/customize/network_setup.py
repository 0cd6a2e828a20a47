# SPDX-License-Identifier: Apache-2.0
"""Networks are put into a tree, for whoever there sets them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.customize.network import NETWORK_MANAGER, NETWORKD, network_files
from ostrya.image.customize.places import Owner
from ostrya.image.customize.services import ETC, enable, find_unit
from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.customize.places import DeviceTree
    from ostrya.image.recipe.values import Network

_UNITS = {NETWORKD: "systemd-networkd.service", NETWORK_MANAGER: "NetworkManager.service"}
_RESOLVED = "systemd-resolved.service"
_RESOLV_CONF, _STUB = "/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf"


def set_up_network(places: DeviceTree, network: Network, tell: Callable[[str], None]) -> None:
    """Put in files for networks, and enable what reads them.

    Raises:
        SourceError: The tree lacks the program for it.
    """
    if not (network.interfaces or network.wifi or network.ntp):
        return
    backend = _backend(places, network)
    for file in network_files(network, backend):
        places.write(file.path, file.text, Owner(0, 0, file.mode))
        tell(f"wrote {file.path}")
    if not (network.interfaces or network.wifi):
        return
    enable(places, _UNITS[backend])
    if backend == NETWORKD:
        _for_networkd(places, network)
    tell(f"networks are {_UNITS[backend]}'s")


def _backend(places: DeviceTree, network: Network) -> str:
    there = [name for name, unit in _UNITS.items() if find_unit(places, unit) is not None]
    if network.backend in there:
        return network.backend
    if network.backend != "auto":
        raise SourceError(f"network.backend: the tree has no {_UNITS[network.backend]}")
    if not there:
        raise SourceError(
            "the tree has neither systemd-networkd nor NetworkManager for the recipe's networks"
        )
    # The one that starts already, if both are there.
    for name in there:
        if places.exists(f"{ETC}/multi-user.target.wants/{_UNITS[name]}"):
            return name
    return there[0]


def _for_networkd(places: DeviceTree, network: Network) -> None:
    if network.wifi:
        unit = f"wpa_supplicant@{network.wifi_interface}.service"
        if find_unit(places, unit) is None:
            raise SourceError(
                "the tree has no wpa_supplicant for wireless networks",
                hint="install wpasupplicant, or NetworkManager",
            )
        enable(places, unit)
    if find_unit(places, _RESOLVED) is not None:
        enable(places, _RESOLVED)
        places.remove(_RESOLV_CONF)
        places.link(_RESOLV_CONF, _STUB)
        return
    servers = list(dict.fromkeys(address for one in network.interfaces for address in one.dns))
    if servers:
        places.remove(_RESOLV_CONF)
        places.write(_RESOLV_CONF, "".join(f"nameserver {address}\n" for address in servers))
