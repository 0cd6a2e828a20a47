# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import PullError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.refs import CollectionRef
from ostrya.pull.find_remotes import FindOptions, find_remotes
from ostrya.pull.options import PullOptions
from ostrya.pull.pull_found import pull_found
from ostrya.repo.fsck import fsck
from ostrya.repo.reader import has_object
from ostrya.repo.refs import list_collection_refs, list_refs
from support.collection_repos import (
    APP,
    OTHER_KEYS,
    OWNER,
    add_remote,
    copy_refs,
    publish,
    publisher,
)
from support.small_repos import make_repo, names_of, object_path

BASE = CollectionRef(OWNER, "base")


@pytest.fixture
def source(tmp_path):
    with publisher(tmp_path / "source") as repo:
        yield repo


@pytest.fixture
def repo(tmp_path, source):
    with make_repo(tmp_path / "repo") as repo:
        add_remote(repo, "vendor", source)
        yield repo


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "volume"
    path.mkdir()
    return path


def find(repo, *wanted, volumes=()):
    return find_remotes(repo, wanted or (APP,), FindOptions(volumes=tuple(map(str, volumes))))


def test_refs_of_the_remote(repo, source):
    commit = publish(source)
    (result,) = pull_found(repo, find(repo))
    assert result.refs == {APP: commit}
    assert list_refs(repo) == {"vendor:app": commit}
    fsck(repo, jobs=1)


def test_a_mirror(repo, source):
    commit = publish(source)
    pull_found(repo, find(repo), PullOptions(mirror=True))
    assert list_refs(repo) == {}
    assert list_collection_refs(repo) == {APP: commit}


def test_from_a_volume_into_the_remote_whose_keys_vouch(repo, source, volume):
    commit = publish(source)
    copy_refs(source, volume / ".ostree/repo", APP).close()
    add_remote(repo, "vendor", "file:///unreachable")
    (result,) = pull_found(repo, find(repo, volumes=[volume]))
    assert result.is_local
    assert list_refs(repo) == {"vendor:app": commit}
    fsck(repo, jobs=1)


def test_each_ref_from_the_best(tmp_path, repo, source, volume):
    publish(source)
    base = publish(source, "base")
    copy_refs(source, volume / ".ostree/repo", APP, BASE).close()
    newer = publish(source, timestamp=1_000_000_001)
    found = find(repo, APP, BASE, volumes=[volume])
    assert [result.refs for result in pull_found(repo, found)] == [{BASE: base}, {APP: newer}]


def test_the_next_one_where_the_first_fails(repo, source, volume):
    commit = publish(source)
    with copy_refs(source, volume / ".ostree/repo", APP) as copy:
        (damaged, *_) = names_of(copy, ObjectType.FILE)
        object_path(copy, damaged).unlink()
    found = find(repo, volumes=[volume])
    failures = []
    (result,) = pull_found(
        repo, found, on_failure=lambda one, why: failures.append((one.place.finder.name, why))
    )
    assert [name for name, _ in failures] == ["mount"]
    assert result.refs == {APP: commit}
    fsck(repo, jobs=1)


def test_nobody_has_it(repo, source):
    commit = publish(source)
    base = publish(source, "base", keys=None)
    found = find(repo, APP, BASE)
    with pytest.raises(PullError) as caught:
        pull_found(repo, found)
    refs = f"({OWNER}, app), ({OWNER}, base)"
    assert sorted(str(caught.value).partition(": ")[2].split("), ")) == sorted(refs.split("), "))
    assert list_refs(repo) == {}
    pull_found(repo, find(repo, APP))
    assert list_refs(repo) == {"vendor:app": commit}
    assert not has_object(repo, ObjectName(base, ObjectType.COMMIT))


@pytest.mark.parametrize("keys", [None, OTHER_KEYS], ids=["unsigned", "another key"])
def test_who_can_write_the_volume_is_not_trusted(repo, source, volume, keys):
    publish(source, keys=keys)
    copy_refs(source, volume / ".ostree/repo", APP).close()
    failures = []
    with pytest.raises(PullError, match="Failed to pull some refs from the remotes: "):
        pull_found(
            repo, find(repo, volumes=[volume]), on_failure=lambda *words: failures.append(words)
        )
    assert len(failures) == 2
    assert list_refs(repo) == {}


def test_openpgp_is_asked_for_unless_there_are_other_keys(repo, source):
    """Whatever the remote's settings say, unsigned commits do not come in."""
    publish(source)
    add_remote(repo, "vendor", source, sign_verify="false")
    failures = []
    with pytest.raises(PullError):
        pull_found(repo, find(repo), on_failure=lambda _, why: failures.append(str(why)))
    assert "GPG verification enabled, but no signatures found" in failures[0]


def test_a_commit_of_another_collection(tmp_path, repo, source, volume):
    """Of one key's owner, but not what was asked for."""
    publish(source)
    with make_repo(tmp_path / "usb") as usb:
        from ostrya.pull.pull_local import pull_local
        from ostrya.repo.ref_writer import write_collection_ref
        from ostrya.repo.summary import regenerate_summary

        with publisher(tmp_path / "other", "org.example.other") as other:
            stray = publish(other, timestamp=1_000_000_002)
            pull_local(usb, other, [stray])
        write_collection_ref(usb, APP, stray)
        regenerate_summary(usb)
    (volume / ".ostree").mkdir()
    (volume / ".ostree/repo").symlink_to(usb.path)
    failures = []
    with pytest.raises(PullError):
        pull_found(
            repo, find(repo, volumes=[volume]), on_failure=lambda _, why: failures.append(str(why))
        )
    assert "collection ID ‘org.example.other’" in failures[0]
