# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.delta.generate import GenerateOptions, generate_delta
from ostrya.formats.delta_name import DeltaName
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.errors import RemoteRefusal
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.outlook import Outlook, look_ahead, remote_commit
from ostrya.pull.pull import open_fetcher, pull
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import has_object
from ostrya.repo.refs import list_refs
from ostrya.repo.remotes import add_remote
from ostrya.repo.repository import open_repository
from ostrya.repo.summary import regenerate_summary
from support.remote_repos import BASE, FolderFetcher
from support.small_repos import RepoMode, commit_files, make_repo, names_of

FILES = {"usr/etc/conf": "old\n", "usr/lib/big": "x" * 5000}


class World:
    """A remote, and a repository that has its first commit."""

    def __init__(self, tmp_path) -> None:
        self.tmp_path = tmp_path
        self.there = make_repo(tmp_path / "there")
        self.here = make_repo(tmp_path / "here", RepoMode.BARE)
        add_remote(self.here, "them", BASE, [("gpg-verify", "false")])
        self.first = self.commit(FILES)

    def commit(self, files):
        return commit_files(self.there, self.tmp_path, files)


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(tmp_path)
    really_open = open_fetcher

    def open_folder(repo, settings, url, network, **_more):
        if url == BASE:
            return FolderFetcher(world.there.path)
        return really_open(repo, settings, url, network)

    monkeypatch.setattr("ostrya.pull.pull.open_fetcher", open_folder)
    pull(world.here, "them", [RefRequest("main")])
    yield world
    world.here.close()
    world.there.close()


def test_which_commit(world):
    second = world.commit(FILES | {"usr/lib/big": "y" * 5000})
    assert remote_commit(world.here, "them", "main") == second
    assert look_ahead(world.here, "them", "main") == Outlook(second)
    # Nothing has come of it.
    assert list_refs(world.here) == {"them:main": world.first}
    assert not has_object(world.here, ObjectName(second, ObjectType.COMMIT))
    assert look_ahead(world.here, "them", "main", commit=world.first) == Outlook(world.first)
    with pytest.raises(RemoteRefusal):
        remote_commit(world.here, "them", "none")


@pytest.mark.parametrize("listed", [True, False])
def test_deltas(world, listed):
    second = world.commit(FILES | {"usr/lib/big": "x" * 5000 + "y"})
    generate_delta(world.there, DeltaName(second, world.first), GenerateOptions(), now=0)
    if listed:
        regenerate_summary(world.there)
    found = look_ahead(world.here, "them", "main")
    assert found.commit == second
    assert found.delta_bytes is not None
    assert 0 < found.delta_bytes < 5000
    assert found.unpacked_bytes is not None
    assert found.unpacked_bytes > 5000


def test_remotes_on_this_machine(world):
    add_remote(world.here, "near", f"file://{world.there.path}", [("gpg-verify", "false")])
    assert look_ahead(world.here, "near", "main") == Outlook(world.first)


def test_directories_alone(world):
    second = world.commit(FILES | {"usr/etc/new/conf": "new\n", "usr/lib/new/file": "new\n"})
    before = names_of(world.here, ObjectType.FILE)
    only_etc = PullOptions(trees_only=True, subpaths=("/usr/etc",))
    pull(world.here, "them", [RefRequest(second)], only_etc)
    etc_alone = names_of(world.here, ObjectType.DIR_TREE)
    pull(world.here, "them", [RefRequest(second)], PullOptions(trees_only=True))
    assert etc_alone < names_of(world.here, ObjectType.DIR_TREE)
    assert names_of(world.here, ObjectType.FILE) == before
    assert is_partial(world.here, second)
    assert list_refs(world.here) == {"them:main": world.first}
    # All the rest comes as if nothing had been here.
    pull(world.here, "them", [RefRequest("main")])
    assert not is_partial(world.here, second)
    with open_repository(world.here.path) as again:
        assert names_of(world.there, ObjectType.FILE) <= names_of(again, ObjectType.FILE)
