# SPDX-License-Identifier: Apache-2.0
"""The address by which a device reaches the world, that of the hardware behind it, and its name."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.uptane.metadata.json_text import Object

_ROUTE_UP = 0x1
_MAX_BYTES = 1024 * 1024
# Of those that are for documentation: nothing is sent there, the kernel only picks a route.
_FAR_AWAY = ("192.0.2.1", 9)


class Network(NamedTuple):
    """How a device is on the network; empty where it is not.

    Attributes:
        address: In IPv4.
        mac: Of the hardware.
        hostname: The host's name.
    """

    address: str
    mac: str
    hostname: str

    def to_json(self) -> Object:
        """Return it as servers know it."""
        return {"local_ipv4": self.address, "mac": self.mac, "hostname": self.hostname}


def find_network(proc: str = "/proc", sys: str = "/sys") -> Network:
    """Return how the device is on the network."""
    interface = default_interface(_read(f"{proc}/net/route"))
    mac = _read(f"{sys}/class/net/{interface}/address").strip() if interface else ""
    return Network(_address() if interface else "", mac[:64], socket.gethostname())


def default_interface(table: str) -> str:
    """Return the interface of the route to everywhere, of the kernel's table; empty for none."""
    best: tuple[int, str] | None = None
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) < 8:
            continue
        try:
            flags, metric = int(words[3], 16), int(words[6])
            is_default = struct.unpack("<II", bytes.fromhex(words[1] + words[7])) == (0, 0)
        except (ValueError, struct.error):
            continue
        usable = "/" not in words[0] and words[0] not in {".", ".."}
        if is_default and flags & _ROUTE_UP and usable and (best is None or metric < best[0]):
            best = (metric, words[0])
    return best[1] if best else ""


def _address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_FAR_AWAY)
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    with open(fd, encoding="utf-8", errors="replace") as stream:
        return stream.read(_MAX_BYTES)
