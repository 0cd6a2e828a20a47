# SPDX-License-Identifier: Apache-2.0
# what is under test is what happens to a whole block
from __future__ import annotations

import os

import pytest

from ostrya.errors import FormatError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo import reader
from ostrya.repo.errors import ObjectInvalid, ObjectNotFound
from ostrya.repo.repository import open_repository
from ostrya.repo.transaction import Transaction
from support.small_repos import (
    commit_files,
    configure,
    make_repo,
    names_of,
    object_path,
    open_fds,
)

SUM = "ab" * 32


@pytest.fixture
def commit(repo, tmp_path):
    return commit_files(repo, tmp_path, {"f": "content"})


LOADERS = {
    ObjectType.COMMIT: reader.load_commit,
    ObjectType.DIR_TREE: reader.load_dirtree,
    ObjectType.DIR_META: reader.load_dirmeta,
    ObjectType.FILE: reader.load_file,
}


@pytest.mark.parametrize("kind", LOADERS, ids=lambda kind: kind.suffix)
class TestEveryKind:
    def test_missing(self, repo, kind):
        assert not reader.has_object(repo, ObjectName(SUM, kind))
        with pytest.raises(ObjectNotFound, match=SUM) as caught:
            LOADERS[kind](repo, SUM)
        assert caught.value.name == ObjectName(SUM, kind)

    def test_damaged_is_named(self, repo, commit, kind):
        (name,) = names_of(repo, kind)
        object_path(repo, name).write_bytes(b"damaged")
        before = open_fds()
        with pytest.raises((FormatError, ObjectInvalid), match=name.checksum):
            LOADERS[kind](repo, name.checksum)
        assert open_fds() == before

    @pytest.mark.timeout(10)
    @pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda p: os.symlink("x", p)])
    def test_what_is_no_file_is_named(self, repo, kind, make):
        path = object_path(repo, ObjectName(SUM, kind))
        path.parent.mkdir()
        make(path)
        with pytest.raises((FormatError, ObjectInvalid), match=SUM):
            LOADERS[kind](repo, SUM)

    def test_a_file_where_a_prefix_should_be(self, repo, kind):
        object_path(repo, ObjectName(SUM, kind)).parent.touch()
        assert not reader.has_object(repo, ObjectName(SUM, kind))
        assert list(reader.iter_objects(repo)) == []
        with pytest.raises(ObjectNotFound):
            LOADERS[kind](repo, SUM)

    def test_in_a_parent(self, repo, commit, tmp_path, kind):
        with make_repo(tmp_path / "above") as above:
            configure(above, parent=repo.path)
        (name,) = names_of(repo, kind)
        with open_repository(str(tmp_path / "above")) as above:
            assert reader.has_object(above, name)
            found = LOADERS[kind](above, name.checksum)
            if kind == ObjectType.FILE:
                found.close()
            assert reader.object_storage_size(above, name) == object_path(repo, name).stat().st_size


def test_too_large_metadata(repo, monkeypatch, commit):
    monkeypatch.setattr(reader, "MAX_METADATA_BYTES", 10)
    with pytest.raises(ObjectInvalid, match=f"Object {commit}.commit is invalid: it is larger"):
        reader.load_commit(repo, commit)


def test_the_staged_one_comes_first(repo):
    with Transaction(repo) as tx:
        checksum = tx.writer.write_metadata(ObjectType.DIR_TREE, b"")
        name = ObjectName(checksum, ObjectType.DIR_TREE)
        assert reader.has_object(repo, name)
        assert reader.load_metadata(repo, name) == b""


def test_sizes_of_nothing(repo):
    with pytest.raises(ObjectNotFound):
        reader.object_storage_size(repo, ObjectName(SUM, ObjectType.FILE))


def test_names_of_all_objects_and_of_nothing_else(repo, commit):
    path = object_path(repo, ObjectName(commit, ObjectType.COMMIT))
    for name in (
        "tmp.1234",
        "short.commit",
        f"{'z' * 62}.commit",
        f"{'a' * 62}.unknown",
        f"{'a' * 62}.file",
    ):
        (path.parent / name).touch()
    (path.parents[1] / "odd").mkdir()
    (path.parents[1] / "zz").mkdir()
    assert len(list(reader.iter_objects(repo))) == 4
    assert list(reader.iter_commits(repo)) == [commit]


@pytest.mark.parametrize("length", [0, 1, 2, 3, 64])
def test_commits_by_their_beginning(repo, commit, length):
    assert list(reader.iter_commits(repo, starting_with=commit[:length])) == [commit]
    other = "0" if commit[0] != "0" else "1"
    assert list(reader.iter_commits(repo, starting_with=other * max(length, 1))) == []


def test_every_byte_flipped_in_a_commit_gives_a_value_or_a_named_error(repo, commit):
    path = object_path(repo, ObjectName(commit, ObjectType.COMMIT))
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            reader.load_commit(repo, commit)
        except FormatError as exc:
            assert exc.message.startswith(f"{commit}.commit: ")  # noqa: PT017
