# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.network_setup import set_up_network
from ostrya.image.customize.services import ETC
from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import Interface, Network, Wifi
from support.image_world import UNIT, Member

WIRED = (Interface("eth0", dns=("192.0.2.1",)),)
MANAGER = {"usr__lib__systemd__system__NetworkManager.service": Member(UNIT)}


def test_the_one_that_the_tree_has(places, said):
    set_up_network(places, Network(interfaces=WIRED), said.append)
    assert places.exists("/etc/systemd/network/20-eth0.network")
    assert places.exists(f"{ETC}/multi-user.target.wants/systemd-networkd.service")
    assert places.read_text("/etc/resolv.conf") == "nameserver 192.0.2.1\n"


def test_wireless_networks_of_networkd(places, said):
    set_up_network(places, Network(wifi=(Wifi("x", "12345678"),)), said.append)
    assert places.exists(f"{ETC}/multi-user.target.wants/wpa_supplicant@wlan0.service")
    header = places.editor.header("usr/etc/wpa_supplicant/wpa_supplicant-wlan0.conf")
    assert header.mode & 0o777 == 0o600


def test_names_are_resolved_by_who_is_there(tree, said):
    places = tree(**{"usr__lib__systemd__system__systemd-resolved.service": Member(UNIT)})
    set_up_network(places, Network(interfaces=WIRED), said.append)
    assert places.link_target("/etc/resolv.conf").endswith("stub-resolv.conf")


def test_the_one_that_starts_is_chosen(tree, said):
    wants = "etc__systemd__system__multi-user.target.wants__NetworkManager.service"
    places = tree(**MANAGER, **{wants: Member()})
    set_up_network(places, Network(interfaces=WIRED), said.append)
    assert places.names("/etc/NetworkManager/system-connections") == ["eth0.nmconnection"]


def test_the_one_that_is_named(tree, said):
    set_up_network(tree(**MANAGER), Network("networkmanager", WIRED), said.append)
    assert said[-1] == "networks are NetworkManager.service's"


def test_without_networks_nothing_is_needed(places, said):
    set_up_network(places, Network("networkmanager"), said.append)
    assert said == []


def test_one_that_is_not_there(places, said):
    with pytest.raises(SourceError, match=r"the tree has no NetworkManager\.service"):
        set_up_network(places, Network("networkmanager", WIRED), said.append)
