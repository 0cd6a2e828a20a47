# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.device_data import network as module
from ostrya.uptane.client.device_data.network import Network, default_interface, find_network

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
FAR = "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
NEAR = "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
LINK = "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
DOWN = "eth2\t00000000\t00000000\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("table", "interface"),
    [
        (HEAD + FAR + NEAR + LINK, "eth0"), (HEAD + LINK + FAR, "wlan0"), (HEAD + DOWN, ""),
        (HEAD, ""), ("", ""), (HEAD + "a b\n", ""), (HEAD + NEAR.replace("0003", "zz"), ""),
        (HEAD + NEAR.replace("eth0", "../x"), ""),
    ],
)  # fmt: skip
def test_the_way_to_the_world(table, interface):
    assert default_interface(table) == interface


def test_found(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_address", lambda: "10.0.0.7")
    monkeypatch.setattr(module.socket, "gethostname", lambda: "device")
    (tmp_path / "net").mkdir()
    (tmp_path / "net/route").write_text(HEAD + NEAR)
    (tmp_path / "class/net/eth0").mkdir(parents=True)
    (tmp_path / "class/net/eth0/address").write_text("02:00:00:00:00:01\n")
    found = find_network(str(tmp_path), str(tmp_path))
    assert found == Network("10.0.0.7", "02:00:00:00:00:01", "device")
    assert found.to_json() == {
        "local_ipv4": "10.0.0.7", "mac": "02:00:00:00:00:01", "hostname": "device",
    }  # fmt: skip


def test_without_a_network(tmp_path):
    assert find_network(str(tmp_path), str(tmp_path))[:2] == ("", "")


def test_this_machine():
    found = find_network()
    assert found.hostname
    assert bool(found.mac) >= bool(found.address) or found.address
