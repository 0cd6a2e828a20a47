# SPDX-License-Identifier: Apache-2.0
"""The ways to a commit, and what they cost."""

from __future__ import annotations

import gzip
import os
import random

import pytest

from ostrya.delta.generate import GenerateOptions, generate_delta
from ostrya.delta.routes import RouteKind, find_routes, measure_delta
from ostrya.formats.delta_name import DeltaName, delta_dir
from support.small_repos import commit_tree, make_repo


@pytest.fixture
def three(tmp_path):
    """A repository with three commits, and deltas from each to the next."""
    rng = random.Random(4)
    top = tmp_path / "tree"
    top.mkdir()
    content = rng.randbytes(400_000)
    commits = []
    with make_repo(tmp_path / "repo") as repo:
        for number in range(3):
            (top / "data").write_bytes(content + b"%d" % number)
            (top / "initrd.img").write_bytes(gzip.compress(rng.randbytes(300_000)))
            commits.append(commit_tree(repo, top))
        for origin, to in [(0, 1), (1, 2), (None, 2)]:
            name = DeltaName(commits[to], None if origin is None else commits[origin])
            generate_delta(repo, name, GenerateOptions(inline=to == 1, jobs=1), now=1)
        yield repo, commits


def test_ways(three):
    repo, [first, second, third] = three
    routes = {route.kind: route for route in find_routes(repo, first, third)}
    assert set(routes) == {RouteKind.OBJECTS, RouteKind.SCRATCH, RouteKind.CHAIN}
    assert routes[RouteKind.CHAIN].steps == (second, third)
    # The first of the two is a single file, the second a superblock and a part.
    assert routes[RouteKind.CHAIN].requests == 3
    # The commit, its root directory, two files.
    assert routes[RouteKind.OBJECTS].requests == 4
    assert routes[RouteKind.OBJECTS].size > 700_000
    assert routes[RouteKind.SCRATCH].size > 700_000
    assert routes[RouteKind.SCRATCH].memory > 700_000


def test_one_delta(three):
    repo, [_, second, third] = three
    best = find_routes(repo, second, third)[0]
    assert best.kind is RouteKind.DELTA
    folder = f"{repo.path}/{delta_dir(DeltaName(third, second))}"
    assert best.size == sum(os.stat(f"{folder}/{name}").st_size for name in os.listdir(folder))
    kinds = {route.kind for route in find_routes(repo, None, third)}
    assert kinds == {RouteKind.OBJECTS, RouteKind.SCRATCH}


def test_a_delta_that_is_not_there_is_measured(three, tmp_path):
    repo, [first, _, third] = three
    name = DeltaName(third, first)
    path = str(tmp_path / "superblock")
    made = generate_delta(repo, name, GenerateOptions(filename=path, jobs=1), now=1)
    route = measure_delta(path, name)
    parts = sum(part.size for part in made.parts)
    assert (route.kind, route.steps, route.tried) == (RouteKind.DELTA, (third,), True)
    assert route.size == made.superblock_size + parts
    assert route.memory == made.apply_memory
    routes = {one.kind: one for one in find_routes(repo, first, third, {name: route})}
    assert routes[RouteKind.DELTA] == route
    # What is there is not told twice.
    generate_delta(repo, name, GenerateOptions(jobs=1), now=1)
    found = [one for one in find_routes(repo, first, third, {name: route}) if one.kind == "delta"]
    assert [one.tried for one in found] == [False]
