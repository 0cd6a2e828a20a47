# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.connections import Connections, Places


class House:
    """Places, and who was ended to make room."""

    def __init__(self, most=10, device=3, address=5):
        self.connections = Connections(Places(most, device, address))
        self.ended = []

    def seat(self, address="a", device="", name=""):
        found = self.connections.arrive(address)
        if found is None:
            return None
        found.settle(lambda: self.ended.append(name))
        if device and not found.belongs_to(device):
            found.leave()
            return None
        return found


def test_an_address_gets_so_many_places_and_others_get_theirs():
    house = House()
    for seat in [house.seat() for _ in range(5)]:
        seat.busy()
    assert house.seat() is None
    assert house.seat("b") is not None


def test_who_shows_to_be_a_device_counts_for_the_device():
    house = House()
    for number in range(8):
        house.seat(device=f"car-{number}").busy()
    # All of them came from one address.
    assert house.seat() is not None
    for _ in range(2):
        house.seat(device="car-1").busy()
    assert house.seat(device="car-1") is None


def test_who_never_shows_who_it_is_counts_from_the_start():
    house = House()
    seats = [house.connections.arrive("a") for _ in range(5)]
    assert house.connections.arrive("a") is None
    seats[0].leave()
    assert house.connections.arrive("a") is not None


@pytest.mark.parametrize("device", ["", "car"])
def test_the_longest_idle_of_the_same_makes_room(device):
    house = House(device=3, address=3)
    first, second, third = (house.seat(device=device, name=name) for name in "123")
    first.busy()
    second.busy()
    second.idle()
    house.seat("other", name="not ours")
    assert house.seat(device=device, name="4") is not None
    assert house.ended == ["3"]
    assert house.seat(device=device, name="5") is not None
    assert house.ended == ["3", "2"]
    third.leave()
    assert len(house.connections) == 4


def test_in_a_full_house_the_longest_idle_of_all_makes_room():
    house = House(most=3)
    busy = house.seat("a", name="busy")
    busy.busy()
    house.seat("b", name="idle")
    house.seat("c", name="later")
    assert house.seat("d", name="new") is not None
    assert house.ended == ["idle"]
    assert len(house.connections) == 3


def test_in_a_full_house_that_is_busy_nobody_is_ended():
    house = House(most=3)
    for address in "abc":
        house.seat(address).busy()
    assert house.seat("d") is None
    assert house.ended == []
    assert len(house.connections) == 3


def test_leaving_twice_frees_one_place():
    house = House(most=2)
    first = house.seat("a")
    house.seat("b")
    first.leave()
    first.leave()
    # What comes late of somebody who is gone puts nobody back.
    first.idle()
    assert len(house.connections) == 1
    assert house.seat("c") is not None
    assert house.ended == []
