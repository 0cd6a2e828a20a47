# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.errors import FormatError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo import verify
from ostrya.repo.errors import ChecksumMismatch, ObjectNotFound
from ostrya.repo.transaction import Transaction
from ostrya.repo.verify import ObjectVerifier, check_object, verify_objects
from support.small_repos import (
    WRITABLE_MODES,
    commit_tree,
    make_repo,
    names_of,
    object_path,
    plain_tree,
)


@pytest.fixture(params=WRITABLE_MODES, ids=str)
def repo(request, tmp_path):
    with make_repo(tmp_path / "repo", request.param) as repo:
        commit_tree(repo, plain_tree(tmp_path / "tree"))
        yield repo


def test_sound_ones(repo):
    verifier = ObjectVerifier(repo)
    for name in names_of(repo):
        verifier.verify(name)
        assert check_object(verifier, name) is None


def test_missing(repo):
    name = ObjectName("ab" * 32, ObjectType.FILE)
    with pytest.raises(ObjectNotFound):
        ObjectVerifier(repo).verify(name)
    problem = check_object(ObjectVerifier(repo), name)
    assert (problem.name, problem.missing) == (name, True)


def test_bytes_of_another_type(repo):
    """A dirtree under a dirmeta's suffix has the right hash, and is none."""
    tree = max(
        names_of(repo, ObjectType.DIR_TREE), key=lambda n: object_path(repo, n).stat().st_size
    )
    name = tree._replace(type=ObjectType.DIR_META)
    object_path(repo, name).write_bytes(object_path(repo, tree).read_bytes())
    with pytest.raises(FormatError):
        ObjectVerifier(repo).verify(name)


def test_bytes_of_another_object(repo):
    one, two = sorted(names_of(repo, ObjectType.DIR_TREE))[:2]
    object_path(repo, two).write_bytes(object_path(repo, one).read_bytes())
    with pytest.raises(ChecksumMismatch) as caught:
        ObjectVerifier(repo).verify(two)
    assert (caught.value.name, caught.value.actual) == (two, one.checksum)


@pytest.mark.parametrize("jobs", [1, 2])
def test_many(repo, monkeypatch, jobs):
    monkeypatch.setattr(verify, "_BATCH_OBJECTS", 3)
    names = sorted(names_of(repo))
    victim = names[0]
    object_path(repo, victim).unlink()
    results = list(verify_objects(repo, names, jobs=jobs))
    assert sum(count for count, _ in results) == len(names)
    assert [p.name for _, problems in results for p in problems] == [victim]


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_around_the_buffer(tmp_path, size):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/f").write_bytes(os.urandom(size))
    for mode in WRITABLE_MODES:
        with make_repo(tmp_path / str(mode), mode) as repo:
            commit_tree(repo, tmp_path / "tree")
            for name in names_of(repo):
                ObjectVerifier(repo).verify(name)


def test_a_permission_that_is_missing_is_named(repo, monkeypatch):
    def refused(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(verify, "load_file", refused)
    name = next(iter(names_of(repo, ObjectType.FILE)))
    problem = check_object(ObjectVerifier(repo), name)
    assert problem.message == f"fsck content object {name.checksum}: Permission denied"


def test_tombstones_are_not_named_by_their_hash(repo):
    from ostrya.formats.tombstone import encode_tombstone

    name = ObjectName("ab" * 32, ObjectType.TOMBSTONE_COMMIT)
    with Transaction(repo) as tx:
        tx.writer.store_metadata(name, encode_tombstone(name.checksum))
        tx.commit()
    ObjectVerifier(repo).verify(name)
