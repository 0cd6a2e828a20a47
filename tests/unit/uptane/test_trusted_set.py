# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane import trusted_set
from ostrya.uptane.errors import MetadataInvalid, MetadataMismatch, ThresholdNotMet
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.signed import sign
from ostrya.uptane.steps import Repository
from support.uptane_world import NOW, Client, key, make_world


def test_without_a_root_nobody_is_trusted():
    with pytest.raises(MetadataInvalid, match="there is no root of the Director") as error:
        trusted_set.open_trusted("Director", Dialect.UPTANE, {})
    assert "is given one when it is made" in error.value.hint


def test_a_root_that_does_not_vouch_for_itself():
    root = make_world().director.root().to_json(Dialect.UPTANE)
    data = sign(root, Dialect.UPTANE, [("x", key(1))]).to_bytes()
    with pytest.raises(ThresholdNotMet):
        trusted_set.open_trusted("Director", Dialect.UPTANE, {"root": data})


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_kept_files_that_were_damaged_are_dropped(role):
    """A disk that lost something must not make the device useless."""
    world = make_world()
    client = Client(world)
    client.cycle()
    files = client.kept[Repository.IMAGE]
    client.kept[Repository.IMAGE] = {**files, role: files[role][:-5]}
    found = client.trusted(Repository.IMAGE)
    assert found.dropped == (role,)
    assert role not in found.files
    assert [one.name for one in client.cycle().agreed] == ["firmware"]


def test_nothing_is_trusted_without_what_has_to_be_before_it():
    world = make_world()
    found = Client(world).trusted(Repository.IMAGE)
    with pytest.raises(MetadataInvalid, match="no timestamp"):
        trusted_set.accept_snapshot(found, world.image.files["snapshot.json"], NOW)
    with pytest.raises(MetadataMismatch, match="does not list supplier"):
        trusted_set.listed_file(found, "supplier")
    assert not trusted_set.has_newest_snapshot(found)
    assert not trusted_set.has_newest_targets(found)


def test_a_refusal_changes_nothing():
    world = make_world()
    found = Client(world).trusted(Repository.IMAGE)
    before = dict(found.files)
    with pytest.raises(MetadataInvalid):
        trusted_set.accept_timestamp(found, b"{}", NOW)
    assert found.files == before
    assert found.timestamp is None


def test_a_key_by_another_name_is_no_rotation():
    """Nothing is forgotten for it."""
    world = make_world()
    client = Client(world)
    client.cycle()
    found = client.trusted(Repository.IMAGE)
    keys = {f"new {name}": one for name, one in found.root.keys.items()}
    roles = {
        n: r._replace(key_ids=tuple(f"new {i}" for i in r.key_ids))
        for n, r in found.root.roles.items()
    }
    renamed = found._replace(root=found.root._replace(keys=keys, roles=roles))
    assert not trusted_set._has_other_keys(renamed.root, found.root, "timestamp")
