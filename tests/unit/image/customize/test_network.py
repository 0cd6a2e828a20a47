# SPDX-License-Identifier: Apache-2.0
from configparser import ConfigParser
from uuid import UUID

from ostrya.image.customize.network import NETWORK_MANAGER, NETWORKD, network_files
from ostrya.image.recipe.values import Interface, Network, Wifi

NETWORK = Network(
    interfaces=(
        Interface("en*", metric=50),
        Interface(
            mac="02:00:00:00:00:01",
            dhcp=False,
            addresses=("192.0.2.7/24", "2001:db8::7/64"),
            gateway="192.0.2.1",
            dns=("192.0.2.1", "2001:db8::1"),
            domains=("example.com",),
        ),
    ),
    wifi=(Wifi("Café 1", "pass phrase\\", priority=3), Wifi("open", hidden=True)),
    country="DE",
    ntp=("ntp.example.com",),
)


def files(backend):
    return {file.path: file for file in network_files(NETWORK, backend)}


def parsed(file):
    found = ConfigParser(delimiters="=", interpolation=None, strict=False)
    found.optionxform = str
    found.read_string(file.text)
    return {name: dict(found[name]) for name in found.sections()}


def test_networkd():
    found = files(NETWORKD)
    assert parsed(found["/etc/systemd/network/20-en.network"]) == {
        "Match": {"Name": "en*"},
        "Network": {"DHCP": "yes"},
        "DHCPv4": {"RouteMetric": "50"},
    }
    text = found["/etc/systemd/network/21-02-00-00-00-00-01.network"].text
    assert "MACAddress=02:00:00:00:00:01\n" in text
    assert "Address=192.0.2.7/24\nAddress=2001:db8::7/64\n" in text
    assert "[Route]\nGateway=192.0.2.1\n" in text
    assert "DHCP" not in text
    assert parsed(found["/etc/systemd/timesyncd.conf.d/50-recipe.conf"]) == {
        "Time": {"NTP": "ntp.example.com"}
    }


def test_wpa_supplicant():
    file = files(NETWORKD)["/etc/wpa_supplicant/wpa_supplicant-wlan0.conf"]
    assert file.mode == 0o600
    assert "country=DE\n" in file.text
    assert f'\tssid={"Café 1".encode().hex()}\n\tpriority=3\n\tpsk="pass phrase\\"\n' in file.text
    assert f"\tssid={b'open'.hex()}\n\tscan_ssid=1\n\tkey_mgmt=NONE\n" in file.text


def test_network_manager():
    found = files(NETWORK_MANAGER)
    folder = "/etc/NetworkManager/system-connections"
    assert all(file.mode == 0o600 for path, file in found.items() if path.startswith(folder))
    any_wire = parsed(found[f"{folder}/en.nmconnection"])
    assert any_wire["match"] == {"interface-name": "en*;"}
    assert any_wire["ipv4"] == {"method": "auto", "route-metric": "50"}
    fixed = parsed(found[f"{folder}/02-00-00-00-00-01.nmconnection"])
    assert fixed["ethernet"] == {"mac-address": "02:00:00:00:00:01"}
    assert fixed["ipv4"] == {
        "method": "manual",
        "address1": "192.0.2.7/24",
        "gateway": "192.0.2.1",
        "dns": "192.0.2.1;",
        "dns-search": "example.com;",
    }
    assert fixed["ipv6"]["address1"] == "2001:db8::7/64"
    assert UUID(fixed["connection"]["uuid"])
    wifi = parsed(found[f"{folder}/wifi-Caf--1.nmconnection"])
    assert wifi["wifi"]["ssid"] == "".join(f"{byte};" for byte in "Café 1".encode())
    assert wifi["wifi-security"] == {"key-mgmt": "wpa-psk", "psk": "pass\\sphrase\\\\"}
    assert wifi["connection"]["autoconnect-priority"] == "3"
    assert "wifi-security" not in parsed(found[f"{folder}/wifi-open.nmconnection"])
    assert "ieee80211_regdom=DE" in found["/etc/modprobe.d/50-country.conf"].text


def test_a_key_of_64_digits_is_no_passphrase():
    network = Network(wifi=(Wifi("x", "0" * 64),))
    assert f"\tpsk={'0' * 64}\n" in network_files(network, NETWORKD)[1].text
