# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal

import pytest

from ostrya._linux import durability
from ostrya.errors import OstryaError, WorkerDied
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull import pull_local as module
from ostrya.pull.pull_local import PullLocalOptions, pull_local
from ostrya.repo.detached import read_detached, write_detached
from ostrya.repo.errors import BindingMismatch, ChecksumMismatch, ObjectNotFound, RefNotFound
from ostrya.repo.fsck import fsck
from ostrya.repo.importer import Importer
from ostrya.repo.modes import RepoMode
from ostrya.repo.partial import clear_partial, is_partial, mark_partial
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.refs import list_refs
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import tree_from_commit, write_commit, write_tree
from support.small_repos import (
    commit_files,
    commit_tree,
    configure,
    make_repo,
    names_of,
    object_path,
    plain_tree,
)


@pytest.fixture
def source(tmp_path):
    with make_repo(tmp_path / "source", RepoMode.BARE_USER_ONLY) as repo:
        yield repo


@pytest.fixture
def target(tmp_path):
    with make_repo(tmp_path / "target") as repo:
        yield repo


@pytest.fixture
def line(source, tmp_path) -> list[str]:
    found: list[str] = []
    for number in range(3):
        parent = found[-1] if found else None
        files = {"d/f": str(number), "same": "same"}
        found.append(commit_files(source, tmp_path, files, parent=parent))
    return found


def pull(target, source, refs=None, *, jobs=1, **options):
    return pull_local(target, source, refs, PullLocalOptions(**options), jobs=jobs)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("untrusted", [False, True])
def test_a_branch(target, source, line, jobs, untrusted, monkeypatch):
    monkeypatch.setattr(module, "_BATCH_OBJECTS", 1)
    result = pull(target, source, jobs=jobs, untrusted=untrusted)
    assert result.refs == {"main": line[-1]}
    assert list_refs(target) == {"main": line[-1]}
    assert (result.metadata_imported, result.content_imported) == (4, 2)
    assert not is_partial(target, line[-1])
    assert fsck(target, jobs=1).commits == 1
    again = pull(target, source, jobs=jobs)
    assert (again.metadata_imported, again.content_imported) == (0, 0)


@pytest.mark.parametrize("depth", [1, 2, -1])
def test_history_shared_by_refs_is_counted_once(target, source, line, tmp_path, depth):
    other = commit_files(source, tmp_path, {"other": "o"}, ref="other", parent=line[-1])
    write_ref(source, None, "again", line[1])
    result = pull(target, source, ["again", "main", "other"], depth=depth)
    present = names_of(target)
    files = names_of(target, ObjectType.FILE)
    assert result.metadata_imported == len(present - files)
    assert result.content_imported == len(files)
    assert {name.checksum for name in names_of(target, ObjectType.COMMIT)} == {*line, other}
    fsck(target, jobs=1)


def test_an_untrusted_commit_is_what_its_name_says_whenever_it_is_read(
    target, source, line, monkeypatch
):
    """Another one is shown to the walk than is imported."""
    real = module.load_commit

    def load_commit(repo, checksum):
        return real(repo, line[0] if repo is source else checksum)

    monkeypatch.setattr(module, "load_commit", load_commit)
    with pytest.raises(ChecksumMismatch, match=line[-1]):
        pull(target, source, untrusted=True)
    assert names_of(target) == set()
    assert list_refs(target) == {}


@pytest.mark.parametrize(("depth", "count"), [(0, 1), (1, 2), (9, 3), (-1, 3)])
def test_history(target, source, line, depth, count):
    pull(target, source, depth=depth)
    commits = {name.checksum for name in names_of(target, ObjectType.COMMIT)}
    assert commits == set(line[-count:])
    fsck(target, jobs=1)


def test_refs_of_a_remote_and_by_name(target, source, line):
    write_ref(source, None, "other", line[0])
    pull(target, source, ["other"], remote="origin")
    assert list_refs(target) == {"origin:other": line[0]}
    pull(target, source, [line[1]])
    assert list_refs(target) == {"origin:other": line[0]}


def test_what_the_source_does_not_have(target, source, line):
    with pytest.raises(RefNotFound, match="nothing"):
        pull(target, source, ["nothing"])
    with pytest.raises(ObjectNotFound, match="ab" * 32):
        pull(target, source, ["ab" * 32])
    assert list_refs(target) == {}


def test_commits_only_leave_them_partial_until_all_is_there(target, source, line):
    pull(target, source, commits_only=True)
    assert is_partial(target, line[-1])
    assert names_of(target, ObjectType.FILE) == set()
    pull(target, source)
    assert not is_partial(target, line[-1])
    fsck(target, jobs=1)


@pytest.mark.parametrize("kind", [ObjectType.DIR_TREE, ObjectType.DIR_META, ObjectType.FILE])
@pytest.mark.parametrize("jobs", [1, 3])
def test_an_incomplete_source_sets_no_ref(target, source, line, kind, jobs):
    for name in names_of(source, kind):
        object_path(source, name).unlink()
    with pytest.raises(ObjectNotFound):
        pull(target, source, jobs=jobs)
    assert list_refs(target) == {}
    # What is here of it is known to be incomplete.
    assert fsck(target, jobs=1).commits == 0


def test_interrupted_it_goes_on_where_it_was(target, source, line, monkeypatch):
    with monkeypatch.context() as patch:

        def stop(_self, _checksum):
            raise OSError(5, "Input/output error")

        patch.setattr(Importer, "import_content", stop)
        with pytest.raises(OSError, match="Input/output"):
            pull(target, source)
    assert list_refs(target) == {}
    pull(target, source)
    fsck(target, jobs=1)
    assert not is_partial(target, line[-1])


def test_a_killed_worker(target, source, line, monkeypatch):
    monkeypatch.setattr(module, "_BATCH_OBJECTS", 1)
    monkeypatch.setattr("ostrya.workers._has_threads", lambda: False)

    def die(_self, _checksum):
        os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(Importer, "import_content", die)
        with pytest.raises(WorkerDied):
            pull(target, source, jobs=2)
    assert list_refs(target) == {}
    pull(target, source)
    fsck(target, jobs=1)


@pytest.mark.parametrize(
    ("core", "early"),
    [({"fsync": "true"}, 3), ({}, 0), ({"fsync": "true", "per_object_fsync": "true"}, 0)],
    ids=["fsync", "no fsync", "each by itself"],
)
def test_the_disk_begins_before_the_end(target, source, tmp_path, monkeypatch, core, early):
    commit_files(source, tmp_path, {f"d/{number}": str(number) for number in range(6)})
    configure(target, **core)
    monkeypatch.setattr(module, "_BATCH_OBJECTS", 1)
    monkeypatch.setattr(module, "_SYNC_OBJECTS", 2)
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: None)
    begun = []
    monkeypatch.setattr(durability.EarlySync, "begin", lambda _self: begun.append(1))
    pull(target, source, jobs=2)
    assert len(begun) == early


def test_a_commit_that_is_here_in_part_is_completed(target, source, line):
    pull(target, source)
    (victim, *_) = names_of(target, ObjectType.FILE)
    object_path(target, victim).unlink()
    # Nobody knows: nothing is looked at.
    assert pull(target, source).content_imported == 0
    mark_partial(target, line[-1])
    assert pull(target, source).content_imported == 1
    assert not is_partial(target, line[-1])
    fsck(target, jobs=1)


def test_detached_metadata_comes_along_and_is_replaced(target, source, line):
    for value in ("one", "two"):
        metadata = VarDict.of({"k": Variant("s", value)})
        write_detached(source, line[-1], metadata)
        pull(target, source)
        assert read_detached(target, line[-1]) == metadata


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("owner", ["org.example.Ours", "org.example.Theirs", None])
def test_a_collection_holds_its_own_commits_only(tmp_path, target, by_name, owner):
    with make_repo(tmp_path / "owned", RepoMode.ARCHIVE) as source:
        configure(source, collection_id="org.example.Ours")
        commit = commit_files(source, tmp_path, {"f": "x"}, ref=None)
        values = {"ostree.ref-binding": Variant("as", ("main",))}
        if owner is not None:
            values["ostree.collection-binding"] = Variant("s", owner)
        with Transaction(source) as tx:
            root = write_tree(tx, tree_from_commit(source, commit))
            bound = write_commit(tx, root, timestamp=0, metadata=VarDict.of(values))
            tx.set_ref(None, "main", bound)
            tx.commit()
        wanted = ["main"] if by_name else [bound]
        if owner == "org.example.Ours":
            pull(target, source, wanted)
        else:
            with pytest.raises(BindingMismatch, match="collection ID"):
                pull(target, source, wanted)
            pull(target, source, wanted, verify_bindings=False)


@pytest.mark.parametrize("verify", [True, False])
def test_a_commit_bound_to_another_ref(target, source, tmp_path, verify):
    commit = commit_files(source, tmp_path, {"f": "x"}, ref=None)
    with Transaction(source) as tx:
        root = write_tree(tx, tree_from_commit(source, commit))
        metadata = VarDict.of({"ostree.ref-binding": Variant("as", ("elsewhere",))})
        bound = write_commit(tx, root, timestamp=0, metadata=metadata)
        tx.set_ref(None, "here", bound)
        tx.commit()
    if verify:
        with pytest.raises(BindingMismatch, match="elsewhere"):
            pull(target, source, ["here"])
        assert list_refs(target) == {}
        # By its checksum it is bound to nothing.
        pull(target, source, [bound])
    else:
        pull(target, source, ["here"], verify_bindings=False)
        assert list_refs(target) == {"here": bound}


@pytest.mark.timeout(20)
def test_parents_in_a_circle(target, source, line):
    from ostrya.repo.reader import load_commit

    for checksum, parent in ((line[0], line[1]), (line[1], line[0])):
        commit = load_commit(source, checksum)._replace(parent=parent)
        object_path(source, ObjectName(checksum, ObjectType.COMMIT)).write_bytes(commit.encode())
    with pytest.raises(OstryaError):
        pull(target, source, [line[1]], depth=-1, untrusted=True)
    assert fsck(target, jobs=1).commits == 0


def test_modes_there_and_back(tmp_path, source):
    commit = commit_tree(source, plain_tree(tmp_path / "tree"))
    with (
        make_repo(tmp_path / "a") as archive,
        make_repo(tmp_path / "b", RepoMode.BARE_USER) as user,
    ):
        pull(archive, source)
        pull(user, archive)
        with make_repo(tmp_path / "c", RepoMode.BARE_USER_ONLY) as back:
            pull(back, user)
            assert names_of(back) == names_of(source)
            assert fsck(back, jobs=1).commits == 1
    clear_partial(source, commit)
