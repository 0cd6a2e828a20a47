# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostrya.uptane.client.device_data import network as module
from ostrya.uptane.client.device_data.network import Network, default_interface, find_network

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


def route(name, to="00000000", flags="0003", metric=0, mask="00000000"):
    return f"{name}\t{to}\t0102000A\t{flags}\t0\t0\t{metric}\t{mask}\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        ("", ""),
        (route("eth0"), "eth0"),
        (route("wlan0", metric=600) + route("eth0", metric=100), "eth0"),
        (route("eth0", flags="0002"), ""),
        (route("eth0", to="0000000A", mask="000000FF"), ""),
        (route("../../x"), ""),
        (route("eth0", flags="zz") + "short\n" + route("eth1"), "eth1"),
    ],
)
def test_the_route_to_everywhere(routes, found):
    assert default_interface(HEAD + routes) == found


@given(st.text())
def test_any_table_is_read(table):
    default_interface(table)


def test_how_a_device_is_on_the_network(tmp_path, monkeypatch):
    (tmp_path / "net").mkdir()
    (tmp_path / "net/route").write_text(HEAD + route("eth7"))
    (tmp_path / "class/net/eth7").mkdir(parents=True)
    (tmp_path / "class/net/eth7/address").write_text("02:00:00:00:00:07\n")
    monkeypatch.setattr(module, "_address", lambda: "192.0.2.7")
    monkeypatch.setattr(module.socket, "gethostname", lambda: "board-7")
    found = find_network(str(tmp_path), str(tmp_path))
    assert found.to_json() == {
        "local_ipv4": "192.0.2.7", "mac": "02:00:00:00:00:07", "hostname": "board-7",
    }  # fmt: skip


def test_a_device_without_a_network_has_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(module.socket, "gethostname", lambda: "alone")
    assert find_network(str(tmp_path), str(tmp_path)) == Network("", "", "alone")


def test_this_machine_can_be_asked():
    assert find_network().hostname
