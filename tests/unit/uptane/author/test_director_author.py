# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.author.director_author import (
    Assignment,
    Lifetimes,
    Order,
    Versions,
    director_files,
)
from ostrya.uptane.errors import AuthoringError, EcuMismatch
from support.uptane_world import LATER, NOW, Client, image, make_world, targets_only

FIRMWARE = image(releaseCounter=4)
BOARD = {"ecu-1": "board"}
UNTIL = Lifetimes(NOW + LATER, NOW + LATER, NOW + LATER)


def write(world, order, versions=Versions(5, 5, 5)):  # noqa: B008  # a value
    keys = {role: world.director.pairs(role) for role in ("targets", "snapshot", "timestamp")}
    world.director.files.update(director_files(order, versions, UNTIL, keys))


@pytest.mark.parametrize("whole", [True, False], ids=["all files", "as aktualizr has it"])
def test_a_vehicle_follows_it(whole):
    world = make_world()
    if not whole:
        world.vehicle = targets_only(world.vehicle)
    assigned = Assignment("firmware", FIRMWARE, BOARD, "https://cdn/firmware")
    write(world, Order("vehicle-1", (assigned,), "urn:1"))
    gave = Client(world).cycle()
    (one,) = gave.agreed
    assert (one.name, one.ecus, one.uri) == ("firmware", BOARD, "https://cdn/firmware")
    assert gave.correlation_id == "urn:1"


def test_nothing_to_do_is_said_to_one_vehicle_only():
    world = make_world()
    write(world, Order("vehicle-1", ()))
    assert Client(world).cycle().agreed == ()
    write(world, Order("vehicle-2", ()))
    with pytest.raises(EcuMismatch, match="for the vehicle vehicle-2"):
        Client(world).cycle()


@pytest.mark.parametrize(
    ("assignments", "why"),
    [
        (
            [Assignment("a", FIRMWARE, BOARD), Assignment("b", FIRMWARE, BOARD)],
            "are both for ecu-1",
        ),
        ([Assignment("a", FIRMWARE, {"ecu-1": "sensor"})], "is not made for ecu-1, a sensor"),
        ([Assignment("a", FIRMWARE, {})], "a is for no ECU"),
        (
            [Assignment("a", FIRMWARE, BOARD), Assignment("a", FIRMWARE, {"ecu-2": "board"})],
            "named twice",
        ),
    ],
)
def test_what_a_vehicle_would_refuse(assignments, why):
    with pytest.raises(AuthoringError, match=why):
        write(make_world(), Order("vehicle-1", tuple(assignments)))


def test_versions():
    assert Versions().next() == Versions(1, 1, 1)
