# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane import checks, partial_verification
from ostrya.uptane.errors import (
    EcuMismatch,
    MetadataExpired,
    MetadataInvalid,
    RollbackDetected,
    ThresholdNotMet,
)  # fmt: skip
from ostrya.uptane.metadata.delegations import Delegations
from ostrya.uptane.partial_verification import Ecu, Handed, verify_partially
from ostrya.uptane.steps import Repository
from support.uptane_world import NOW, Client, assigned, image, key, make_world

SENSOR = Ecu("ecu-2", "sensor", 3)


@pytest.fixture
def world():
    world = make_world()
    world.assign("sensor-4", image(b"sensor", hardwareIds=["sensor"]), "ecu-2", "sensor")
    return world


def verify(world, *roots, ecu=SENSOR, found=None, now=NOW):
    found = found or Client(world).trusted(Repository.DIRECTOR)
    return verify_partially(found, Handed(world.director.files["targets.json"], roots), ecu, now)


def test_the_own_image(world):
    _, (name, found) = verify(world)
    assert (name, found.length) == ("sensor-4", 6)


def test_nothing_for_this_ecu(world):
    assert verify(world, ecu=Ecu("ecu-9", "sensor"))[1] is None


def test_a_new_root_on_the_way(world):
    world.director.keys["targets"] = [key(99)]
    root = world.director.write_root()
    world.director.publish()
    found, told = verify(world, root)
    assert told is not None
    assert found.root.header.version == 2
    with pytest.raises(ThresholdNotMet):
        verify(world)


def test_an_expired_root(world):
    world.director.expires["root"] = NOW
    with pytest.raises(MetadataExpired):
        verify(world, world.director.write_root())


def refused(world, monkeypatch, error, check, **more):
    """Show that it works without a check, and is refused with it."""
    with monkeypatch.context() as patch:
        patch.setattr(checks, check, lambda *_: None)
        verify(world, **more)
    with pytest.raises(error):
        verify(world, **more)


def test_expired(world, monkeypatch):
    refused(world, monkeypatch, MetadataExpired, "check_unexpired", now=NOW + timedelta(days=400))


def test_rolled_back(world, monkeypatch):
    old = dict(world.director.files)
    world.director.publish()
    found, _ = verify(world)
    world.director.files = old
    refused(world, monkeypatch, RollbackDetected, "check_no_rollback", found=found)


def test_signed_by_others(world, monkeypatch):
    found = Client(world).trusted(Repository.DIRECTOR)
    world.director.put("targets", world.director.targets().to_json(found.dialect), [key(98)])
    refused(world, monkeypatch, ThresholdNotMet, "check_signed")


def test_delegations(world, monkeypatch):
    world.director.delegations = Delegations({}, ())
    world.director.publish()
    refused(world, monkeypatch, MetadataInvalid, "check_no_delegations")


def test_two_images(world, monkeypatch):
    world.director.images["another"] = assigned(image(b"x"), "ecu-2", "sensor")
    world.director.publish()
    refused(world, monkeypatch, EcuMismatch, "check_each_ecu_once")


def test_for_another_kind(world, monkeypatch):
    refused(world, monkeypatch, EcuMismatch, "check_ecu_kinds", ecu=Ecu("ecu-2", "other"))


def test_an_older_release(world, monkeypatch):
    told = assigned(image(b"x"), "ecu-2", "sensor", releaseCounter=2)
    world.director.images = {"sensor-2": told}
    world.director.publish()
    refused(world, monkeypatch, RollbackDetected, "check_release_counter")
    assert partial_verification.verify_partially.__doc__
