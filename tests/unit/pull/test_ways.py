# SPDX-License-Identifier: Apache-2.0
"""What each way costs that leads from here to a commit of a remote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.delta.routes import RouteKind
from ostrya.formats.delta_name import DeltaName, delta_dir, superblock_path
from ostrya.formats.delta_superblock import KEY_APPLY_MEMORY, Fallback, Superblock
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.pull.options import Plan, PullOptions, RefRequest
from ostrya.pull.places import RemotePlaces
from ostrya.pull.remote_pull import RemotePull
from ostrya.repo.modes import RepoMode
from ostrya.repo.partial import is_partial
from ostrya.repo.remote_settings import RemoteSettings
from ostrya.repo.summary import regenerate_summary
from ostrya.repo.transaction import Transaction
from ostrya.repo.traverse import reachable_objects
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory
from support.deltas import write_delta
from support.remote_repos import BASE, FolderFetcher
from support.small_repos import commit_tree, make_repo, names_of, plain_tree
from unit.pull.test_remote_pull import Trusting, add_remote


class World:
    """A remote with three commits, and a repository that has the first of them."""

    def __init__(self, tmp_path: Path, source, repo) -> None:
        self.source, self.repo = source, repo
        top = plain_tree(tmp_path / "tree")
        self.commits = [commit_tree(source, top)]
        regenerate_summary(source)
        add_remote(repo)
        self.pull("main", use_deltas=False)
        for number in (1, 2):
            (top / f"usr/new{number}").write_bytes(b"new\n" * 1000 * number)
            parent = self.commits[-1]
            commit = commit_tree(source, top, parent=parent, timestamp=1_000_000_000 + number)
            self.commits.append(commit)
        regenerate_summary(source)

    def pull(self, *refs, source=None, **options):
        self.fetcher = FolderFetcher(self.source.path)
        return RemotePull(
            self.repo,
            RemoteSettings(self.repo, "origin"),
            places=RemotePlaces((BASE,), (BASE,)),
            fetcher=self.fetcher,
            judge=Trusting(),
            source=source,
            options=PullOptions(**options),
            jobs=2,
        ).run([ref if isinstance(ref, RefRequest) else RefRequest(ref) for ref in refs])

    def serve(self, to: int, origin: int | None, **options) -> Path:
        start = None if origin is None else self.commits[origin]
        folder = write_delta(self.source, self.commits[to], start, **options)
        regenerate_summary(self.source)
        return folder

    def change(self, folder: Path, **fields) -> None:
        path = folder / "superblock"
        path.write_bytes(Superblock.decode(path.read_bytes())._replace(**fields).encode())
        regenerate_summary(self.source)

    def state(self, folder: Path, memory: int) -> None:
        block = Superblock.decode((folder / "superblock").read_bytes())
        stated = (KEY_APPLY_MEMORY, Variant("t", swap_u64(memory)))
        self.change(folder, metadata=VarDict((*block.metadata, stated)))

    def ways(self, ref="main", **options):
        [found] = self.pull(ref, plan=Plan.SHOW, **options).ways
        return {way.kind: way for way in found.ways}

    @property
    def parts_asked(self) -> list[str]:
        return [p for p in self.fetcher.asked if p.startswith("deltas/") and "superblock" not in p]


@pytest.fixture
def world(tmp_path):
    with (
        make_repo(tmp_path / "source") as source,
        make_repo(tmp_path / "repo", RepoMode.BARE_USER) as repo,
    ):
        yield World(tmp_path, source, repo)


def test_all_of_them(world):
    folders = [world.serve(2, 0), world.serve(2, None, inline=True)]
    world.serve(1, 0)
    world.serve(2, 1)
    before = names_of(world.repo)
    ways = world.ways()
    assert set(ways) == set(RouteKind)
    delta, scratch = ways[RouteKind.DELTA], ways[RouteKind.SCRATCH]
    for way, folder, requests in ((delta, folders[0], 2), (scratch, folders[1], 1)):
        assert way.size == sum(path.stat().st_size for path in folder.iterdir())
        assert way.requests == requests
        assert (way.memory, way.is_estimate, way.obstacle) == (None, False, None)
    assert ways[RouteKind.CHAIN].steps == tuple(world.commits[1:])
    assert ways[RouteKind.CHAIN].requests == 4
    # Two files, the directory that they are in and the one above it, and the commit.
    objects = ways[RouteKind.OBJECTS]
    assert (objects.requests, objects.is_estimate, objects.memory) == (5, True, 0)
    assert objects.space > 12_000
    assert names_of(world.repo) == before
    assert world.parts_asked == []


def test_the_cheapest_comes_first(world):
    world.serve(2, 0)
    world.serve(2, None)
    [found] = world.pull("main", plan=Plan.SHOW).ways
    sizes = [way.size for way in found.ways]
    assert sizes == sorted(sizes)
    assert found.target.ref == "main"
    assert not found.is_here
    assert found.cheapest() is found.ways[0]
    assert found.cheapest(with_delta=True).deltas


def test_of_what_is_here_there_is_none(world):
    world.pull("main")
    [found] = world.pull("main", plan=Plan.SHOW).ways
    assert found.is_here
    assert found.cheapest() is None


def test_estimated_from_nothing(world):
    world.serve(2, None)
    ways = world.ways()
    objects = ways[RouteKind.OBJECTS]
    assert objects.is_estimate
    assert objects.requests == 5
    assert 0 < objects.size < 1.3 * ways[RouteKind.SCRATCH].size


def test_what_does_not_shrink_is_not_estimated_as_less(world):
    folder = world.serve(2, 0)
    part = Superblock.decode((folder / "superblock").read_bytes()).parts[0]
    world.change(folder, parts=(part._replace(size=1_000_000, unpacked_size=1_000_000),))
    assert world.ways()[RouteKind.OBJECTS].size >= 1_000_000


def test_sizes_that_the_commit_says(world, tmp_path):
    top = tmp_path / "tree"
    (top / "usr/new3").write_bytes(b"x" * 5000)
    with Transaction(world.source) as tx:
        tx.want_sizes()
        tree = MutableTree()
        write_directory(tx, str(top), tree, CommitModifier(), jobs=1)
        commit = write_commit(tx, write_tree(tx, tree), timestamp=1_000_000_003)
        tx.set_ref(None, "main", commit)
        tx.commit()
    regenerate_summary(world.source)
    objects = world.ways()[RouteKind.OBJECTS]
    new = set(reachable_objects(world.source, [commit])) - names_of(world.repo)
    paths = [f"{world.source.path}/objects/{loose_path(name, archive=True)}" for name in new]
    assert objects.size == sum(os.stat(path).st_size for path in paths)
    assert (objects.requests, objects.is_estimate) == (len(new), False)


def test_where_nothing_is_known(world):
    ways = world.ways()
    assert set(ways) == {RouteKind.OBJECTS}
    objects = ways[RouteKind.OBJECTS]
    assert (objects.size, objects.requests, objects.space) == (None, None, None)


def test_where_nothing_is_said_of_deltas(world):
    world.serve(2, 0)
    world.serve(2, 1)
    for path in (superblock_path(DeltaName(world.commits[2], world.commits[1])), "summary"):
        (Path(world.source.path) / path).unlink()
    assert set(world.ways()) == {RouteKind.OBJECTS, RouteKind.DELTA}


def test_a_repository_on_this_machine(world):
    ways = world.ways(source=world.source)
    assert set(ways) == {RouteKind.OBJECTS}
    assert ways[RouteKind.OBJECTS].requests == 5
    assert not ways[RouteKind.OBJECTS].is_estimate


def test_obstacles(world, monkeypatch):
    folder = world.serve(2, 0)
    world.state(folder, 64_000_000)
    way = world.ways(apply_memory=1_000_000)[RouteKind.DELTA]
    assert way.memory == 64_000_000
    assert way.obstacle == "only 1.0\N{NO-BREAK SPACE}MB of memory are available"
    part = Superblock.decode((folder / "superblock").read_bytes()).parts[0]
    world.change(folder, parts=(part._replace(unpacked_size=1 << 60),))
    assert world.ways()[RouteKind.DELTA].obstacle.endswith("of free space are available")


def test_steps_that_leave_something_out_are_no_chain(world):
    folder = world.serve(1, 0)
    world.serve(2, 1)
    assert RouteKind.CHAIN in world.ways()
    left_out = Fallback(ObjectName("a" * 64, ObjectType.FILE), 60, 100)
    world.change(folder, fallbacks=(left_out,))
    assert RouteKind.CHAIN not in world.ways()


def test_what_is_left_out_counts(world):
    folder = world.serve(2, 0)
    before = world.ways()
    left_out = Fallback(ObjectName("a" * 64, ObjectType.FILE), 6000, 10_000)
    head = (folder / "superblock").stat().st_size
    world.change(folder, fallbacks=(left_out,))
    grown = (folder / "superblock").stat().st_size - head
    after = world.ways()
    assert after[RouteKind.DELTA].size == before[RouteKind.DELTA].size + 6000 + grown
    for kind in (RouteKind.DELTA, RouteKind.OBJECTS):
        assert after[kind].requests == before[kind].requests + 1
        assert after[kind].space == before[kind].space + 10_000


def test_superblocks_are_not_fetched_without_end(world, monkeypatch):
    monkeypatch.setattr("ostrya.pull.ways._MAX_SUPERBLOCKS", 1)
    world.serve(2, 0)
    world.serve(2, 1)
    assert set(world.ways()) == {RouteKind.OBJECTS, RouteKind.DELTA}
    assert [path for path in world.fetcher.asked if "superblock" in path] == [
        superblock_path(DeltaName(world.commits[2], world.commits[0]))
    ]


def test_the_folder_that_is_gone_is_no_way(world):
    folder = world.serve(2, 0)
    (folder / "superblock").unlink()
    assert set(world.ways()) == {RouteKind.OBJECTS}
    assert folder == Path(world.source.path) / delta_dir(
        DeltaName(world.commits[2], world.commits[0])
    )


def test_partial_commits_lead_nowhere(world):
    world.serve(2, 1)
    world.pull(RefRequest("main", world.commits[1]), commits_only=True)
    assert is_partial(world.repo, world.commits[1])
    assert set(world.ways(RefRequest("main", world.commits[2]))) == {RouteKind.OBJECTS}
