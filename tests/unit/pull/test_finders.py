# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.formats.refs import CollectionRef
from ostrya.pull.finders import configured_places, mounted_places, settings_for
from ostrya.pull.offers import CONFIG, MOUNT
from support.collection_repos import APP, OWNER, add_remote, copy_refs, publish, publisher
from support.small_repos import make_repo

OTHER = CollectionRef("org.example.other", "app")


@pytest.fixture
def source(tmp_path):
    with publisher(tmp_path / "source") as repo:
        publish(repo)
        publish(repo, "base")
        yield repo


@pytest.fixture
def repo(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        add_remote(repo, "vendor", "http://vendor.test/repo")
        yield repo


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "my volume"
    path.mkdir()
    return path


def uris(places):
    return [place.uri for place in places]


def test_remotes_of_the_collection(repo):
    add_remote(repo, "another", "http://another.test", OTHER.collection_id)
    add_remote(repo, "mirror", "http://mirror.test")
    add_remote(repo, "plain", "http://plain.test", None)
    found = configured_places(repo, [APP, APP])
    assert [(one.settings.name, one.uri) for one in found] == [
        ("mirror", "http://mirror.test"),
        ("vendor", "http://vendor.test/repo"),
    ]
    assert {(one.finder, one.collection_id) for one in found} == {(CONFIG, OWNER)}
    assert len(configured_places(repo, [APP, OTHER])) == 3


def test_whose_keys_count(repo):
    add_remote(repo, "a-first", "http://x")
    assert settings_for(repo, OWNER).name == "a-first"
    assert settings_for(repo, "org.nobody.x") is None


def test_a_volume(repo, source, volume):
    copy_refs(source, volume / ".ostree/repo", APP).close()
    (found,) = mounted_places(repo, [APP, OTHER], [str(volume), "/nonexistent"])
    assert found.uri == f"file://{volume}/.ostree/repo"
    assert found.settings.url == f"file://{str(volume).replace(' ', '%20')}/.ostree/repo"
    assert (found.finder, found.collection_id) == (MOUNT, OWNER)
    assert found.settings.keyring == "vendor"
    assert found.settings.name.startswith("file_3A_2F_2F")
    assert found.settings.name.endswith("my_20volume_2F.ostree_2Frepo_vendor.trustedkeys.gpg")
    assert mounted_places(repo, [CollectionRef(OWNER, "base")], [str(volume)]) == []


def test_a_collection_that_nobody_here_vouches_for(tmp_path, source, volume):
    copy_refs(source, volume / ".ostree/repo", APP).close()
    with make_repo(tmp_path / "stranger") as repo:
        assert mounted_places(repo, [APP], [str(volume)]) == []


def test_links_come_first_in_their_order(repo, source, volume):
    base = CollectionRef(OWNER, "base")
    copy_refs(source, volume / ".ostree/repo", APP, base).close()
    copy_refs(source, volume / "elsewhere/b", APP).close()
    copy_refs(source, volume / "elsewhere/a", APP).close()
    links = volume / ".ostree/repos.d"
    links.mkdir()
    (links / "00").symlink_to("../../elsewhere/b")
    (links / "01").symlink_to("../../elsewhere/a")
    (links / "02").symlink_to("../../elsewhere/none")
    (links / "03").write_text("no repository")
    top = f"file://{volume}"
    assert uris(mounted_places(repo, [APP], [str(volume)])) == [f"{top}/elsewhere/b"]
    found = mounted_places(repo, [APP, base], [str(volume)])
    assert uris(found) == [f"{top}/.ostree/repo", f"{top}/elsewhere/b"]


def test_several_links_to_one_repository(repo, source, volume):
    copy_refs(source, volume / "r", APP, CollectionRef(OWNER, "base")).close()
    for number, ref in enumerate(("app", "base")):
        (volume / ".ostree/repos.d").mkdir(parents=True, exist_ok=True)
        (volume / f".ostree/repos.d/{number}-{ref}").symlink_to("../../r")
    wanted = [APP, CollectionRef(OWNER, "base")]
    assert uris(mounted_places(repo, wanted, [str(volume)])) == [f"file://{volume}/r"]


@pytest.mark.parametrize("place", ["ostree/repo", "var/lib/flatpak/repo"])
def test_other_places(repo, source, volume, place):
    copy_refs(source, volume / place, APP).close()
    assert uris(mounted_places(repo, [APP], [str(volume)])) == [f"file://{volume}/{place}"]


def test_the_repository_that_asks_is_no_answer(source, volume):
    add_remote(source, "vendor", "http://vendor.test")
    (volume / ".ostree").mkdir()
    (volume / ".ostree/repo").symlink_to(source.path)
    assert mounted_places(source, [APP], [str(volume)]) == []


def test_links_out_of_the_volume_lead_nowhere(repo, source, volume, monkeypatch):
    (volume / ".ostree").mkdir()
    (volume / ".ostree/repo").symlink_to(source.path)
    assert len(mounted_places(repo, [APP], [str(volume)])) == 1
    real, inside = os.fstat, os.stat(volume).st_ino

    def on_another_device(fd):
        found = real(fd)
        if found.st_ino != inside:
            return found
        return os.stat_result((*found[:2], found.st_dev + 1, *found[3:10]))

    monkeypatch.setattr(os, "fstat", on_another_device)
    assert mounted_places(repo, [APP], [str(volume)]) == []


def test_a_damaged_repository_is_passed_over(repo, source, volume):
    copy_refs(source, volume / ".ostree/repo", APP).close()
    copy_refs(source, volume / "ostree/repo", APP).close()
    Path(volume, ".ostree/repo/config").write_text("nonsense")
    assert uris(mounted_places(repo, [APP], [str(volume)])) == [f"file://{volume}/ostree/repo"]
