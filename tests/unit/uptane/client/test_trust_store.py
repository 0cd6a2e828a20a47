# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane.client import trust_store
from ostrya.uptane.errors import MetadataInvalid, StorageError
from ostrya.uptane.full_verification import verify_fully
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.steps import Accepted, Repository, run_steps
from ostrya.uptane.time_floor import TimeFloor
from support.uptane_world import NOW, make_world


class Kept:
    """A client that keeps what it trusts in its database."""

    def __init__(self, world, storage) -> None:
        self.world, self.storage = world, storage
        for which in Repository:
            data = world.repo(which).files["1.root.json"]
            trust_store.set_first_root(storage, which, data)

    def cycle(self):
        trusted = [
            trust_store.load_trusted(self.storage, one, Dialect.UPTANE) for one in Repository
        ]
        steps = verify_fully(*trusted, self.world.vehicle, NOW)
        return run_steps(steps, self.fetch, lambda one: trust_store.keep(self.storage, one))

    def fetch(self, wanted):
        return self.world.repo(wanted.repository).files.get(wanted.file)


def test_a_cycle_is_kept(storage):
    world = make_world()
    client = Kept(world, storage)
    assert [one.name for one in client.cycle().agreed] == ["firmware"]
    found = trust_store.load_trusted(storage, Repository.IMAGE, Dialect.UPTANE)
    assert set(found.files) == {"root", "timestamp", "snapshot", "targets"}
    assert found.targets.images["firmware"].length == 7


def test_what_is_forgotten_is_gone(storage):
    """With new keys of timestamp, files of the old ones do not come back."""
    world = make_world()
    client = Kept(world, storage)
    client.cycle()
    found = trust_store.load_trusted(storage, Repository.IMAGE, Dialect.UPTANE)
    trust_store.keep(storage, Accepted(Repository.IMAGE, found.without_files("timestamp")))
    assert trust_store.load_trusted(storage, Repository.IMAGE, Dialect.UPTANE).timestamp is None


def test_roots_for_secondaries(storage):
    world = make_world()
    client = Kept(world, storage)
    for _ in range(3):
        world.director.write_root()
    client.cycle()
    found = trust_store.roots_after(storage, Repository.DIRECTOR, 2)
    assert found == tuple(world.director.files[f"{n}.root.json"] for n in (3, 4))
    assert trust_store.roots_after(storage, Repository.DIRECTOR, 4) == ()
    with pytest.raises(StorageError, match="root 1 of the Director is not kept"):
        trust_store.roots_after(storage, Repository.DIRECTOR, 0)


def test_the_first_root(storage):
    with pytest.raises(MetadataInvalid, match="there is no root of the Director"):
        trust_store.load_trusted(storage, Repository.DIRECTOR, Dialect.UPTANE)
    trust_store.set_first_root(storage, Repository.DIRECTOR, b"x")
    with pytest.raises(StorageError, match="has a root of the Director already"):
        trust_store.set_first_root(storage, Repository.DIRECTOR, b"y")


def test_the_floor_of_time(storage):
    later = NOW + timedelta(days=1)
    assert trust_store.load_time_floor(storage, NOW) == TimeFloor(NOW)
    trust_store.keep_time_floor(storage, TimeFloor(later))
    assert trust_store.load_time_floor(storage, NOW) == TimeFloor(later)
    trust_store.keep_time_floor(storage, TimeFloor(NOW))
    assert trust_store.load_time_floor(storage, NOW) == TimeFloor(later)
    # A newer program is built later than anything that was seen.
    assert trust_store.load_time_floor(storage, later + timedelta(days=1)).moment > later
