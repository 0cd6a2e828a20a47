# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.delegation_search import Question, find_image
from ostrya.uptane.errors import TargetNotFound
from ostrya.uptane.full_verification import refresh_image
from ostrya.uptane.metadata.delegations import DelegatedRole, Delegations
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.signed import RoleKeys
from ostrya.uptane.metadata.targets import Targets
from ostrya.uptane.steps import Repository, run_steps
from support.uptane_world import LATER, NOW, Client, image, key, make_world


def trust(world, names, paths=("*",)):
    """Return delegations of some roles in order, all with one key."""
    key_id, _ = world.image.pair(key(50))
    roles = tuple(DelegatedRole(((one, RoleKeys((key_id,), 1)),), paths) for one in names)
    return Delegations({key_id: key(50).key}, roles)


def say(world, role, content, below=None):
    images = {"a": content} if content else {}
    world.image.delegate(role, Targets(Header(1, NOW + LATER), images, below), [key(50)])


def search(world, name="a"):
    client = Client(world)
    found = run_steps(
        refresh_image(client.trusted(Repository.IMAGE), NOW), client.fetch, client.keep
    )
    client.asked.clear()
    steps = find_image(found, Question(name, frozenset({"board"}), NOW))
    _, result = run_steps(steps, client.fetch, client.keep)
    return result, [file.removeprefix("delegations/") for _, file in client.asked]


def test_depth_first_in_order():
    world = make_world()
    world.image.delegations = trust(world, ["one", "two"])
    say(world, "one", None, trust(world, ["below"]))
    say(world, "below", image(b"below"))
    say(world, "two", image(b"two"))
    world.image.publish()
    result, asked = search(world)
    assert result == image(b"below")
    assert asked == ["one.json", "below.json"]


def test_targets_themselves_come_first():
    world = make_world()
    world.image.delegations = trust(world, ["one"])
    say(world, "one", image(b"one"))
    world.image.images["a"] = image(b"own")
    world.image.publish()
    assert search(world) == (image(b"own"), [])


def test_roles_that_are_not_for_an_image_are_not_asked():
    world = make_world()
    world.image.delegations = trust(world, ["one"], ("b/*",))
    say(world, "one", image(b"one"))
    world.image.publish()
    with pytest.raises(TargetNotFound, match="the Image repository has no image a"):
        search(world)
