# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.fleet.errors import BadRequest, Conflict, NotFound, NotNow
from ostrya.formats.checksum import Checksum
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo.reader import iter_objects
from ostrya.repo.refs import resolve_ref
from support.small_repos import commit_files, make_repo


@pytest.fixture
def source(tmp_path):
    """An archive with a commit of some files, one of them large."""
    return archive_of(tmp_path / "source", {"a": "a", "big": os.urandom(1 << 20).hex()})


def archive_of(path, files):
    repo = make_repo(path)
    commit_files(repo, path.parent, files)
    return repo


def spooled(services, data: bytes):
    spool = services.treehub.spool()
    for at in range(0, len(data), 100_000):
        spool.write(data[at : at + 100_000])
    return spool


def stored(source, name):
    path = f"objects/{loose_path(name, archive=True)}"
    with open(f"{source.path}/{path}", "rb") as stream:
        return path, stream.read()


def push_all(
    services,
    source,
    *,
    kinds=(ObjectType.FILE, ObjectType.DIR_TREE, ObjectType.DIR_META, ObjectType.COMMIT),
):
    for kind in kinds:
        for name in iter_objects(source):
            if name.type == kind:
                path, data = stored(source, name)
                services.treehub.put(path, spooled(services, data), replace=False)


def head(source):
    return resolve_ref(source, None, "main", allow_noent=False, search_remotes=False)


def test_objects_and_a_ref(services, source):
    push_all(services, source)
    services.treehub.write_ref("main", head(source).encode(), force=False)
    assert services.treehub.read_ref("main") == head(source)
    assert set(iter_objects(services.treehub.repo)) == set(iter_objects(source))
    name = ObjectName(head(source), ObjectType.COMMIT)
    path, data = stored(source, name)
    assert services.treehub.has(path)
    with pytest.raises(Conflict) as caught:
        services.treehub.put(path, spooled(services, data), replace=False)
    assert caught.value.code == "object_exists"
    services.treehub.put(path, spooled(services, data), replace=True)


def test_what_does_not_hash_to_its_name_is_refused(services, source):
    for name in iter_objects(source):
        path, data = stored(source, name)
        other = path[:11] + ("0" if path[11] != "0" else "1") + path[12:]
        with pytest.raises((BadRequest, NotNow)):
            services.treehub.put(other, spooled(services, data), replace=False)
        with pytest.raises((BadRequest, NotNow)):
            services.treehub.put(path, spooled(services, data[:-1] + b"\xff\xff"), replace=False)
    assert list(iter_objects(services.treehub.repo)) == []


def test_a_commit_comes_last(services, source):
    path, data = stored(source, ObjectName(head(source), ObjectType.COMMIT))
    with pytest.raises(NotNow) as caught:
        services.treehub.put(path, spooled(services, data), replace=False)
    assert caught.value.code == "missing_object"


def test_detached_metadata_changes_under_its_name(services):
    path = "objects/" + loose_path(
        ObjectName(Checksum("ab" * 32), ObjectType.COMMIT_META), archive=True
    )
    services.treehub.put(path, spooled(services, b""), replace=False)
    with pytest.raises(Conflict):
        services.treehub.put(path, spooled(services, b""), replace=False)
    services.treehub.put(path, spooled(services, b""), replace=True)
    with pytest.raises(BadRequest):
        services.treehub.put(path, spooled(services, b"nonsense"), replace=True)


def test_refs_lose_no_commits_unless_told_to(services, source, tmp_path):
    push_all(services, source)
    services.treehub.write_ref("main", head(source).encode(), force=False)
    other = archive_of(tmp_path / "other", {"b": "b"})
    push_all(services, other, kinds=(ObjectType.DIR_TREE, ObjectType.COMMIT))
    with pytest.raises(Conflict) as caught:
        services.treehub.write_ref("main", head(other).encode(), force=False)
    assert caught.value.code == "not_fast_forward"
    services.treehub.write_ref("main", head(other).encode() + b"\n", force=True)
    assert services.treehub.read_ref("main") == head(other)


def test_refs_that_cannot_be(services):
    with pytest.raises(NotNow):
        services.treehub.write_ref("main", b"0" * 64, force=True)
    with pytest.raises(BadRequest):
        services.treehub.write_ref("main", b"nonsense", force=True)
    for name in ("", "../x", "a//b", ".a"):
        with pytest.raises(NotFound):
            services.treehub.write_ref(name, b"0" * 64, force=True)
        with pytest.raises(NotFound):
            services.treehub.read_ref(name)
    with pytest.raises(NotFound):
        services.treehub.read_ref("main")


def test_parts_of_deltas(services):
    services.treehub.put_delta("deltas/Ab/Cd-Ef/superblock", spooled(services, b"x"))
    services.treehub.put_delta("delta-indexes/Ab/Cd.index", spooled(services, b"y"))
    for path, data in (("deltas/Ab/Cd-Ef/superblock", b"x"), ("delta-indexes/Ab/Cd.index", b"y")):
        fd = services.treehub.open(path)
        assert os.read(fd, 9) == data
        os.close(fd)
    for path in ("deltas/../x/superblock", "deltas/Ab/Cd/x", "objects/x"):
        with pytest.raises(NotFound):
            services.treehub.put_delta(path, spooled(services, b"x"))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "../fleet.toml",
        "objects/../../fleet.toml",
        "objects/ab",
        "objects/ab/cd.commit",
        "refs/heads/../../config",
        "refs/heads/main",
        "state",
        "tmp",
        "objects/" + "ab/" + "c" * 62 + ".file",
    ],
)
def test_nothing_else_is_read(services, path):
    with pytest.raises(NotFound):
        services.treehub.open(path)
