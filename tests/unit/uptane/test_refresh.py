# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.refresh import refresh_roots, targets_of
from ostrya.uptane.steps import Repository, run_steps
from support.uptane_world import NOW, Client, make_world


def test_roots_are_kept_one_by_one():
    world = make_world()
    for _ in range(3):
        world.image.write_root()
    client = Client(world)
    versions = []

    def keep(accepted):
        versions.append(accepted.trusted.root.header.version)

    steps = refresh_roots(Repository.IMAGE, client.trusted(Repository.IMAGE), NOW)
    found = run_steps(steps, client.fetch, keep)
    assert versions == [2, 3, 4]
    assert found.root.header.version == 4
    assert [file for _, file in client.asked] == [f"{n}.root.json" for n in (2, 3, 4, 5)]


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_a_file_that_has_to_be_there(role):
    world = make_world()
    del world.image.files[f"{role}.json"]
    with pytest.raises(MetadataInvalid, match=f"the Image repository has no {role}.json"):
        Client(world).cycle()


def test_targets_that_are_not_known():
    with pytest.raises(MetadataInvalid, match="no Targets of the Director are known"):
        targets_of(Client(make_world()).trusted(Repository.DIRECTOR))
