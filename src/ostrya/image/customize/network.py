# SPDX-License-Identifier: Apache-2.0
"""Networks, as files for systemd-networkd with wpa_supplicant, or for NetworkManager. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.recipe.values import Interface, Network, Wifi

NETWORKD, NETWORK_MANAGER = "networkd", "networkmanager"
_NAMESPACE = UUID("c1f3f6b6-7e0c-5c0b-8f0e-6f7374727961")
_HEX_KEY_CHARS = 64


class NetworkFile(NamedTuple):
    """A file that sets up a network.

    Attributes:
        path: Where it goes.
        text: What is in it.
        mode: Who may read it: passphrases are for root alone.
    """

    path: str
    text: str
    mode: int = 0o644


def network_files(network: Network, backend: str) -> list[NetworkFile]:
    """Return the files that set up networks.

    Args:
        network: What is wanted.
        backend: Who sets it up, `NETWORKD` or `NETWORK_MANAGER`.
    """
    make = _networkd if backend == NETWORKD else _network_manager
    found = list(make(network))
    if network.ntp:
        text = _text({"Time": [f"NTP={' '.join(network.ntp)}"]})
        found.append(NetworkFile("/etc/systemd/timesyncd.conf.d/50-recipe.conf", text))
    return found


def slug(text: str) -> str:
    """Return a name for a file that says which network it is about."""
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in text).strip("-")


# -- systemd-networkd


def _networkd(network: Network) -> Iterator[NetworkFile]:
    for number, one in enumerate(network.interfaces, 20):
        match = f"Name={one.name}" if one.name else f"MACAddress={one.mac}"
        name = slug(one.name or one.mac) or "any"
        text = _text({"Match": [match], **_networkd_body(one)})
        yield NetworkFile(f"/etc/systemd/network/{number}-{name}.network", text)
    if network.wifi:
        name = network.wifi_interface
        # The route of a cable is preferred.
        body = {"Match": [f"Name={name}"], "Network": ["DHCP=yes"], "DHCPv4": ["RouteMetric=600"]}
        yield NetworkFile(f"/etc/systemd/network/60-{slug(name)}.network", _text(body))
        yield NetworkFile(
            f"/etc/wpa_supplicant/wpa_supplicant-{name}.conf", _supplicant(network), 0o600
        )


def _networkd_body(one: Interface) -> dict[str, list[str]]:
    lines = ["DHCP=yes"] if one.dhcp else []
    lines += [f"Address={address}" for address in one.addresses]
    lines += [f"DNS={address}" for address in one.dns]
    if one.domains:
        lines.append(f"Domains={' '.join(one.domains)}")
    sections = {"Network": lines}
    metric = [] if one.metric is None else [f"{one.metric}"]
    if one.gateway:
        sections["Route"] = [f"Gateway={one.gateway}", *(f"Metric={value}" for value in metric)]
    if one.dhcp and metric:
        sections["DHCPv4"] = [f"RouteMetric={value}" for value in metric]
    return sections


def _supplicant(network: Network) -> str:
    lines = ["ctrl_interface=DIR=/run/wpa_supplicant GROUP=netdev", "update_config=0"]
    if network.country:
        lines.append(f"country={network.country}")
    for wifi in network.wifi:
        # In hexadecimal digits: names may have quotes and letters of all kinds in them.
        lines += ["", "network={", f"\tssid={wifi.ssid.encode().hex()}"]
        if wifi.hidden:
            lines.append("\tscan_ssid=1")
        if wifi.priority:
            lines.append(f"\tpriority={wifi.priority}")
        if wifi.passphrase:
            lines.append(f"\tpsk={_passphrase(wifi)}")
        else:
            lines.append("\tkey_mgmt=NONE")
        lines.append("}")
    return "".join(f"{line}\n" for line in lines)


def _passphrase(wifi: Wifi) -> str:
    # Unquoted it is the key itself. What is between quotes ends with the last one on the line.
    return wifi.passphrase if len(wifi.passphrase) == _HEX_KEY_CHARS else f'"{wifi.passphrase}"'


# -- NetworkManager


def _network_manager(network: Network) -> Iterator[NetworkFile]:
    for one in network.interfaces:
        yield _keyfile(slug(one.name or one.mac) or "any", _wired(one))
    for wifi in network.wifi:
        yield _keyfile(f"wifi-{slug(wifi.ssid) or wifi.ssid.encode().hex()}", _wireless(wifi))
    if network.wifi and network.country:
        text = f"options cfg80211 ieee80211_regdom={network.country}\n"
        yield NetworkFile("/etc/modprobe.d/50-country.conf", text)


def _keyfile(name: str, sections: dict[str, list[str]]) -> NetworkFile:
    kind = sections.pop("kind")
    first = [f"id={name}", f"uuid={uuid5(_NAMESPACE, name)}", *kind]
    text = _text({"connection": first, **sections})
    return NetworkFile(f"/etc/NetworkManager/system-connections/{name}.nmconnection", text, 0o600)


def _wired(one: Interface) -> dict[str, list[str]]:
    # Patterns are not for the name of the interface itself.
    is_pattern = any(char in one.name for char in "*?[")
    kind = ["type=ethernet"]
    if one.name and not is_pattern:
        kind.append(f"interface-name={one.name}")
    sections = {"kind": kind, "ethernet": [f"mac-address={one.mac}"] if one.mac else []}
    if is_pattern:
        sections["match"] = [f"interface-name={one.name};"]
    for family, version in (("ipv4", 4), ("ipv6", 6)):
        sections[family] = _family(one, version)
    return sections


def _family(one: Interface, version: int) -> list[str]:
    def mine(addresses: tuple[str, ...]) -> list[str]:
        return [address for address in addresses if (":" in address) == (version == 6)]

    addresses, dns = mine(one.addresses), mine(one.dns)
    gateway = mine((one.gateway,)) if one.gateway else []
    # With addresses of its own, `auto` asks for others too; without any of a family, only that.
    method = "auto" if one.dhcp else ("manual" if addresses else "disabled")
    lines = [f"method={method}"]
    for number, address in enumerate(addresses, 1):
        lines.append(f"address{number}={address}")
    lines += [f"gateway={address}" for address in gateway]
    if dns:
        lines.append(f"dns={''.join(f'{address};' for address in dns)}")
    if one.domains:
        lines.append(f"dns-search={''.join(f'{name};' for name in one.domains)}")
    if one.metric is not None:
        lines.append(f"route-metric={one.metric}")
    return lines


def _wireless(wifi: Wifi) -> dict[str, list[str]]:
    ssid = "".join(f"{byte};" for byte in wifi.ssid.encode())
    kind = ["type=wifi"]
    if wifi.priority:
        kind.append(f"autoconnect-priority={wifi.priority}")
    sections = {
        "kind": kind,
        "wifi": ["mode=infrastructure", f"ssid={ssid}", *(["hidden=true"] if wifi.hidden else [])],
    }
    if wifi.passphrase:
        escaped = wifi.passphrase.replace("\\", "\\\\").replace(" ", "\\s")
        sections["wifi-security"] = ["key-mgmt=wpa-psk", f"psk={escaped}"]
    sections |= {"ipv4": ["method=auto"], "ipv6": ["method=auto"]}
    return sections


def _text(sections: dict[str, list[str]]) -> str:
    blocks = (
        f"[{name}]\n" + "".join(f"{line}\n" for line in lines)
        for name, lines in sections.items()
        if lines
    )
    return "\n".join(blocks)
