# SPDX-License-Identifier: Apache-2.0
"""The way that is taken is the cheapest that fits; what is not asked for is not kept."""

from __future__ import annotations

import pytest

from ostrya.errors import RepoError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.errors import NoDelta, NoWay
from ostrya.pull.options import Plan
from ostrya.repo.partial import is_partial
from support.small_repos import names_of
from unit.pull.test_ways import world  # noqa: F401  # a fixture


def cheapest(world, **options):  # noqa: F811
    return world.pull("main", plan=Plan.CHEAPEST, **options)


def require_new(world):  # noqa: F811
    assert not is_partial(world.repo, world.commits[2])
    assert cheapest(world).delta_parts_fetched == 0


def test_a_chain(world):  # noqa: F811
    world.serve(1, 0)
    world.serve(2, 1)
    result = cheapest(world, require_deltas=True)
    assert result.delta_parts_fetched == 2
    assert (result.metadata_fetched, result.content_fetched) == (1, 0)
    # Nobody wanted the one between, and nobody has vouched for it.
    assert ObjectName(world.commits[1], ObjectType.COMMIT) not in names_of(world.repo)
    require_new(world)


def test_objects(world):  # noqa: F811
    folder = world.serve(2, 0)
    world.state(folder, 1 << 40)
    result = cheapest(world)
    assert result.delta_parts_fetched == 0
    assert result.content_fetched == 2
    require_new(world)


def test_a_delta(world):  # noqa: F811
    world.serve(2, 0)
    result = cheapest(world, require_deltas=True)
    assert (result.delta_parts_fetched, result.content_fetched) == (1, 0)
    require_new(world)


def test_from_nothing_although_the_ref_was_pulled(world):  # noqa: F811
    world.serve(2, None)
    assert cheapest(world, require_deltas=True).delta_parts_fetched == 1
    require_new(world)


def test_none_fits(world):  # noqa: F811
    folder = world.serve(2, 0)
    world.state(folder, 64_000_000)
    before = names_of(world.repo)
    with pytest.raises(NoWay, match=r"No way to .* fits: delta: only 1.0\sMB of memory"):
        cheapest(world, require_deltas=True, apply_memory=1_000_000)
    assert names_of(world.repo) == before


def test_none_is_there(world):  # noqa: F811
    world.serve(1, 0)
    with pytest.raises(NoDelta, match=f"required, but none found to {world.commits[2]}"):
        cheapest(world, require_deltas=True)


def test_nothing_to_do(world):  # noqa: F811
    world.serve(2, 0)
    cheapest(world)
    cheapest(world, require_deltas=True)
    assert not [path for path in world.fetcher.asked if path.startswith(("deltas/", "objects/"))]


def test_wanted_and_not_allowed(world):  # noqa: F811
    world.serve(2, 0)
    with pytest.raises(RepoError):
        cheapest(world, use_deltas=False, require_deltas=True)
