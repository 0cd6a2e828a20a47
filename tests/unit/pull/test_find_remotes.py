# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.refs import CollectionRef
from ostrya.formats.summary import Summary
from ostrya.pull.find_remotes import FindOptions, find_remotes
from support.collection_repos import APP, OWNER, add_remote, copy_refs, publish, publisher
from support.small_repos import make_repo, object_path, open_fds

T = 1_000_000_000


@pytest.fixture
def source(tmp_path):
    with publisher(tmp_path / "source") as repo:
        yield repo


@pytest.fixture
def repo(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        yield repo


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "volume"
    path.mkdir()
    return path


def find(repo, *wanted, volumes=(), skipped=None, **options):
    options = FindOptions(volumes=tuple(map(str, volumes)), **options)
    reasons = [] if skipped is None else skipped
    return find_remotes(
        repo,
        wanted or (APP,),
        options,
        on_skipped=lambda place, why: reasons.append((place.settings.name, str(why))),
    )


def names(found):
    return [remote.place.settings.name for remote in found]


def test_a_configured_remote(repo, source):
    commit = publish(source)
    add_remote(repo, "vendor", source)
    base = CollectionRef(OWNER, "base")
    before = open_fds()
    (found,) = find(repo, APP, base)
    assert open_fds() == before
    assert found.refs == {APP: commit, base: None}
    assert found.wanted == {APP: commit}
    assert found.last_modified > T
    assert find(repo, base) == []
    assert find(repo, finders=("mount",)) == []


def test_a_volume_comes_first(repo, source, volume):
    commit = publish(source)
    add_remote(repo, "vendor", source)
    copy_refs(source, volume / ".ostree/repo", APP).close()
    found = find(repo, volumes=[volume])
    assert [one.place.finder.name for one in found] == ["mount", "config"]
    assert [one.wanted for one in found] == [{APP: commit}] * 2
    assert names(find(repo, volumes=[volume], finders=("config",))) == ["vendor"]


def test_an_outdated_copy_is_left_out(repo, source, volume):
    publish(source)
    add_remote(repo, "vendor", source)
    copy_refs(source, volume / ".ostree/repo", APP).close()
    newer = publish(source, timestamp=T + 1)
    (found,) = find(repo, volumes=[volume])
    assert (found.place.settings.name, found.wanted) == ("vendor", {APP: newer})


def test_who_cannot_be_asked_is_left_out(repo, source):
    publish(source)
    add_remote(repo, "absent", "file:///nonexistent")
    add_remote(repo, "keyless", source, verification_ed25519_key="")
    add_remote(repo, "later", source, unconfigured_state="not yet")
    add_remote(repo, "vendor", source)
    skipped = []
    assert names(find(repo, skipped=skipped)) == ["vendor"]
    assert [name for name, _ in skipped] == ["absent", "keyless", "later"]
    assert "not yet" in skipped[2][1]
    (Path(source.path) / "summary").unlink()
    skipped.clear()
    assert find(repo, skipped=skipped) == []
    assert ("vendor", "Remote server has no summary file") in skipped


def test_a_summary_that_should_be_signed(repo, source):
    publish(source)
    add_remote(repo, "vendor", source, sign_verify_summary="ed25519")
    skipped = []
    assert find(repo, skipped=skipped) == []
    assert "no summary.sig found" in skipped[0][1]


def rewrite_summary(repo, change):
    path = Path(repo.path) / "summary"
    summary = Summary.decode(path.read_bytes())
    refs = tuple(ref._replace(metadata=change(ref.metadata)) for ref in summary.refs)
    path.write_bytes(summary._replace(refs=refs).encode())


def without_time(metadata):
    return metadata.without("ostree.commit.timestamp")


def later(metadata):
    variant = metadata["ostree.commit.timestamp"]
    value = int.from_bytes(b"\x7f" + bytes(7), "little")
    return metadata.with_item("ostree.commit.timestamp", variant._replace(value=value))


def test_a_summary_that_does_not_tell_ages(tmp_path, repo, source):
    """The commits themselves do."""
    with publisher(tmp_path / "old") as old:
        publish(old, timestamp=T)
        rewrite_summary(old, without_time)
        commit = publish(source, timestamp=T + 1)
        rewrite_summary(source, without_time)
        add_remote(repo, "a-mirror", old)
        add_remote(repo, "vendor", source)
        (found,) = find(repo)
        assert (found.place.settings.name, found.wanted) == ("vendor", {APP: commit})
        # Whose commits cannot be looked at has nothing new.
        object_path(source, ObjectName(commit, ObjectType.COMMIT)).write_bytes(b"")
        assert names(find(repo)) == ["a-mirror"]


def test_a_summary_that_lies_about_ages(tmp_path, repo, source):
    publish(source)
    add_remote(repo, "vendor", source)
    liar = copy_refs(source, tmp_path / "liar", APP)
    liar.close()
    add_remote(repo, "a-liar", liar)
    path = Path(liar.path) / "summary"
    honest = find(repo)
    assert names(honest) == ["vendor", "a-liar"] or names(honest) == ["a-liar", "vendor"]
    summary = Summary.decode(path.read_bytes())
    map_key = "ostree.summary.collection-map"
    ((owner, ((name, (size, raw, metadata)),)),) = summary.metadata[map_key].value
    lie = ((owner, ((name, (size, raw, later(metadata))),)),)
    changed = summary.metadata.with_item(map_key, summary.metadata[map_key]._replace(value=lie))
    path.write_bytes(summary._replace(metadata=changed).encode())
    assert names(find(repo)) == ["vendor"]


def test_commits_that_are_here_tell_their_age(repo, source):
    commit = publish(source)
    rewrite_summary(source, without_time)
    add_remote(repo, "vendor", source)
    assert find(repo)[0].wanted == {APP: commit}
    assert find(source) == []
    add_remote(source, "self", source)
    assert find(source)[0].wanted == {APP: commit}


def test_a_cache_elsewhere(tmp_path, repo, source):
    publish(source)
    add_remote(repo, "vendor", source)
    (Path(source.path) / "summary.sig").write_bytes(b"")
    find(repo, cache_dir=str(tmp_path / "cache"))
    assert sorted(path.name for path in (tmp_path / "cache/summaries").iterdir()) == [
        "vendor",
        "vendor.sig",
    ]
