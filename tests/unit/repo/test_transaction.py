# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PT012, SIM117  # what is under test is what happens to a whole block
from __future__ import annotations

import os
import stat
from errno import EDQUOT, ENOSPC
from pathlib import Path

import pytest

from ostrya._linux import durability
from ostrya.errors import FormatError, RepoError
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.file_header import FileHeader
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.refs import CollectionRef
from ostrya.repo import publish, ref_writer, staging
from ostrya.repo.detached import read_detached, write_detached
from ostrya.repo.errors import LowSpace, TransactionError
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import has_object
from ostrya.repo.refs import list_refs, resolve_ref
from ostrya.repo.repository import open_repository
from ostrya.repo.runtime import Runtime
from ostrya.repo.transaction import Transaction
from support.small_repos import (
    GID,
    UID,
    commit_files,
    configure,
    make_repo,
    names_of,
    open_fds,
    reopen,
    staging_dirs,
)

HEADER = FileHeader(0, 0, stat.S_IFREG | 0o644)
DIRMETA = DirMeta(0, 0, stat.S_IFDIR | 0o755).encode()
SUM = "ab" * 32


@pytest.fixture(params=[True, False], ids=["fsync", "no-fsync"])
def repo(request, tmp_path, monkeypatch):
    monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: None)
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    with make_repo(tmp_path / "repo", fsync=str(request.param).lower()) as repo:
        yield repo


def write_two(tx) -> list[ObjectName]:
    return [
        ObjectName(tx.writer.write_data(HEADER, b"content"), ObjectType.FILE),
        ObjectName(tx.writer.write_metadata(ObjectType.DIR_META, DIRMETA), ObjectType.DIR_META),
    ]


def all_there(repo, names) -> bool:
    with reopen(repo) as other:
        return all(has_object(other, name) for name in names)


def test_commit_publishes_and_cleans_up(repo):
    before = open_fds()
    with Transaction(repo) as tx:
        names = write_two(tx)
        tx.set_ref(None, "main", SUM)
        stats = tx.commit()
    assert all_there(repo, names)
    assert list_refs(repo) == {"main": SUM}
    assert (stats.metadata_written, stats.content_written) == (1, 1)
    assert os.listdir(repo.tmp_fd) == ["cache"]
    assert repo.staging_fd == -1
    # The lock file stays open with the repository; nothing else does.
    assert {name for name in open_fds() - before if ".lock" not in name} == set()


def test_what_was_there_is_counted_and_not_written(repo):
    for written in (1, 0):
        with Transaction(repo) as tx:
            write_two(tx)
            stats = tx.commit()
        assert stats.metadata_total == stats.content_total == 1
        assert stats.metadata_written == stats.content_written == written
        assert stats.content_bytes_written == written * len(b"content")


def test_where_nothing_was_done_nobody_waits_for_the_disk(tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(durability, "sync_filesystem", waits.append)
    monkeypatch.setattr(os, "fsync", waits.append)
    with make_repo(tmp_path / "repo") as repo:
        configure(repo, fsync="true")
        with Transaction(repo) as tx:
            write_two(tx)
            tx.commit()
        waits.clear()
        with Transaction(repo) as tx:
            write_two(tx)
            tx.commit()
        assert waits == []
        with Transaction(repo) as tx:
            # What it points to may be another writer's, who has not waited yet.
            tx.set_ref(None, "main", SUM)
            tx.commit()
        assert waits


def test_objects_of_a_transaction_can_be_read_in_it(repo):
    with Transaction(repo) as tx:
        for name in write_two(tx):
            assert has_object(repo, name)


def test_leaving_without_commit_drops_refs(repo):
    with Transaction(repo) as tx:
        write_two(tx)
        tx.set_ref(None, "main", SUM)
    assert list_refs(repo) == {}
    assert repo.staging_fd == -1


def test_objects_wait_in_staging_and_are_used_again(tmp_path):
    with make_repo(tmp_path / "repo", per_object_fsync="false") as repo:
        configure(repo, fsync="true")
        with pytest.raises(RuntimeError), Transaction(repo) as tx:
            names = write_two(tx)
            raise RuntimeError
        assert not all_there(repo, names)
        (kept,) = staging_dirs(repo)
        with Transaction(repo) as tx:
            assert tx.counts.content_written == 0
            assert write_two(tx) == names
            assert tx.commit().content_written == 0
        assert all_there(repo, names)
        assert not kept.exists()


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        SystemExit(1),
        OSError(ENOSPC, "No space left on device"),
        OSError(EDQUOT, "Disk quota exceeded"),
        LowSpace("no room"),
    ],
    ids=repr,
)
def test_ctrl_c_and_a_full_disk_delete_staging(repo, error):
    with pytest.raises(type(error)), Transaction(repo) as tx:
        write_two(tx)
        raise error
    assert os.listdir(repo.tmp_fd) == ["cache"]


def test_an_aborted_transactions_detached_metadata_is_not_handed_on(repo, tmp_path):
    """It is not told by its checksum: the next commit must not make it true."""
    checksum = commit_files(repo, tmp_path, {"f": "1"})
    with pytest.raises(RuntimeError), Transaction(repo) as tx:
        write_detached(repo, checksum, VarDict.of({"k": Variant("s", "aborted")}))
        raise RuntimeError
    assert read_detached(repo, checksum) is None
    with Transaction(repo) as tx:
        write_two(tx)
        tx.commit()
    assert read_detached(repo, checksum) is None


def test_what_somebody_else_has_a_link_to_is_not_handed_on(tmp_path):
    """A consumed file whose commit failed is its owner's again, who may change it."""
    with make_repo(tmp_path / "repo", RepoMode.BARE) as repo:
        configure(repo, fsync="true")
        source = tmp_path / "file"
        source.write_bytes(b"original")
        source.chmod(0o644)
        header = FileHeader(UID, os.getegid(), stat.S_IFREG | 0o644)
        with pytest.raises(RuntimeError), Transaction(repo) as tx:
            fd = os.open(source, os.O_RDONLY)
            checksum = tx.writer.adopt(header, fd)
            os.close(fd)
            raise RuntimeError
        source.write_bytes(b"changed!")
        with Transaction(repo) as tx:
            assert tx.writer.write_data(header, b"original") == checksum
            tx.commit()
        found = Path(repo.path) / "objects" / checksum[:2] / f"{checksum[2:]}.file"
        assert found.read_bytes() == b"original"


def test_a_nested_transaction_is_refused(repo):
    with Transaction(repo) as tx:
        with pytest.raises(TransactionError, match="another transaction is in progress"):
            Transaction(repo).__enter__()
        names = write_two(tx)
        tx.commit()
    assert all_there(repo, names)


def test_a_second_commit_is_refused(repo):
    with Transaction(repo) as tx:
        tx.commit()
        with pytest.raises(TransactionError, match="no transaction in progress"):
            tx.commit()


def test_two_at_once_have_a_staging_directory_each(repo):
    with reopen(repo) as other, Transaction(repo) as one, Transaction(other) as two:
        assert len(staging_dirs(repo)) == 2
        names = write_two(one)
        assert write_two(two) == names
        one.commit()
        two.commit()
    assert all_there(repo, names)
    assert os.listdir(repo.tmp_fd) == ["cache"]


@pytest.mark.parametrize(
    ("remote", "ref", "checksum"),
    [
        (None, "../x", SUM),
        (None, "", SUM),
        (None, "a//b", SUM),
        ("..", "x", SUM),
        (None, "x", "no checksum"),
    ],
)
def test_bad_refs_are_refused_before_anything_is_written(repo, remote, ref, checksum):
    with pytest.raises(FormatError), Transaction(repo) as tx:
        tx.set_ref(None, "good", SUM)
        tx.set_ref(remote, ref, checksum)
        tx.commit()
    assert list_refs(repo) == {}


@pytest.mark.parametrize(
    ("collection_id", "ref"), [("bad", "x"), ("org.example.X", "../x"), ("../..", "x")]
)
def test_bad_collection_refs_too(repo, collection_id, ref):
    with pytest.raises(FormatError), Transaction(repo) as tx:
        tx.set_collection_ref(CollectionRef(collection_id, ref), SUM)


def test_refs_come_after_objects(repo, monkeypatch):
    seen = []

    def store(the_repo, remote, ref, checksum):
        seen.append(all_there(repo, names))
        ref_writer._store(the_repo, "refs/heads", ref, checksum)

    monkeypatch.setattr(ref_writer, "store_ref", store)
    with Transaction(repo) as tx:
        names = write_two(tx)
        tx.set_ref(None, "main", SUM)
        tx.commit()
    assert seen == [True]


def test_deleting_a_ref_in_a_transaction(repo):
    ref_writer.write_ref(repo, None, "old", SUM)
    with Transaction(repo) as tx:
        tx.set_ref(None, "old", None)
        tx.set_ref("origin", "new", SUM)
        tx.commit()
    assert list_refs(repo) == {"origin:new": SUM}


def test_the_summary_follows_where_configured(repo, tmp_path):
    configure(repo, auto_update_summary="true")
    commit_files(repo, tmp_path, {"f": "1"})
    assert (Path(repo.path) / "summary").exists()


def test_failing_on_purpose_before_the_commit(tmp_path):
    make_repo(tmp_path / "repo").close()
    runtime = Runtime(fail_before_commit=True)
    with open_repository(str(tmp_path / "repo"), runtime=runtime) as repo:
        with pytest.raises(TransactionError, match="OSTREE_REPO_TEST_ERROR_PRE_COMMIT"):
            with Transaction(repo) as tx:
                tx.set_ref(None, "main", SUM)
                tx.commit()
        assert resolve_ref(repo, None, "main", allow_noent=True) is None


def test_whole_directories_and_single_files_are_moved(tmp_path, monkeypatch):
    """Into a prefix that is not there, and into one that is, without losing what it holds."""
    monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: None)
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    with make_repo(tmp_path / "repo") as repo:
        configure(repo, fsync="true")
        everything = set()
        for number in range(4):
            with Transaction(repo) as tx:
                everything |= {
                    ObjectName(
                        tx.writer.write_data(HEADER, f"{number} {n}".encode()), ObjectType.FILE
                    )
                    for n in range(120)
                }
                tx.commit()
        assert names_of(repo) == everything


def test_without_permission(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        repo.writable = False
        with pytest.raises(PermissionError, match="objects"), Transaction(repo):
            pass


@pytest.mark.parametrize("per_object", [False, True])
def test_with_fsync_everything_is_synced_before_refs(tmp_path, monkeypatch, per_object):
    """Data by syncfs, or file by file; then the directories that changed; then the ref."""
    with make_repo(tmp_path / "repo") as repo:
        configure(repo, fsync="true", per_object_fsync=str(per_object).lower())
        events = []
        monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: events.append("syncfs"))

        def fsync(fd):
            path = os.readlink(f"/proc/self/fd/{fd}")
            events.append("dir" if os.path.isdir(f"/proc/self/fd/{fd}") else "file")
            if path.endswith("refs/heads"):
                events[-1] = "ref"

        monkeypatch.setattr(os, "fsync", fsync)
        commit_files(repo, tmp_path, {"f": "1"})
        objects = len(names_of(repo))
        assert events.index("syncfs") < events.index("dir") < events.index("ref")
        before = events[: events.index("syncfs")]
        assert before.count("file") == (objects if per_object else 0)


@pytest.mark.parametrize(
    ("mode", "fsync", "per_object", "early"),
    [
        (RepoMode.BARE_USER, "true", "false", True),
        (RepoMode.ARCHIVE, "true", "false", True),
        (RepoMode.ARCHIVE, "true", "true", False),
        (RepoMode.BARE_USER, "false", "false", False),
    ],
)
def test_the_disk_begins_with_large_objects_at_once(
    tmp_path, monkeypatch, mode, fsync, per_object, early
):
    begun = []
    monkeypatch.setattr(durability, "start_writeback", lambda fd: begun.append(os.fstat(fd).st_ino))
    monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: None)
    with make_repo(tmp_path / "repo", mode) as repo:
        configure(repo, fsync=fsync, per_object_fsync=per_object)
        content = os.urandom(100_000)
        with Transaction(repo) as tx:
            tx.writer.write_data(HEADER, b"small")
            large = tx.writer.write_data(HEADER, content)
            chunked = tx.writer.write_rereadable(HEADER, 1000, lambda: [b"a" * 500, b"b" * 500])
            tx.commit()
        inodes = {
            os.stat(repo.store.path_of(name), dir_fd=repo.objects_fd).st_ino
            for name in (large, chunked)
        }
        assert set(begun) == (inodes if early else set())


def test_an_error_while_moving_keeps_what_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: None)
    with make_repo(tmp_path / "repo") as repo:
        configure(repo, fsync="true")

        def broken(*_args):
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(publish, "_move_whole", broken)
            with pytest.raises(OSError, match="Input/output"), Transaction(repo) as tx:
                names = write_two(tx)
                tx.set_ref(None, "main", SUM)
                tx.commit()
        assert list_refs(repo) == {}
        assert len(staging_dirs(repo)) == 1
        with Transaction(repo) as tx:
            tx.commit()
        assert all_there(repo, names)


def test_a_writer_ends_with_its_transaction(repo, tmp_path):
    """Its descriptor may by then be that of any other directory."""
    with Transaction(repo) as tx:
        writers = [tx.writer, tx.new_writer()]
        tx.commit()
    victim = os.open(tmp_path, os.O_RDONLY)
    try:
        for writer in writers:
            with pytest.raises(RepoError, match="is over"):
                writer.write_data(HEADER, b"late")
    finally:
        os.close(victim)
    assert os.listdir(tmp_path) == ["repo"]


def test_a_staging_directory_that_cannot_be_removed(repo, monkeypatch):
    """The refs are set, and the lock is free again."""
    with repo.lock.hold(exclusive=False):
        before = open_fds()

    def stuck(*_args, **_kwargs):
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch, pytest.raises(PermissionError):
        patch.setattr(staging.dirfd, "remove_tree", stuck)
        with Transaction(repo) as tx:
            names = write_two(tx)
            tx.set_ref(None, "main", SUM)
            tx.commit()
    assert list_refs(repo) == {"main": SUM}
    assert all_there(repo, names)
    assert open_fds() == before
    with repo.lock.hold(exclusive=True):
        pass


@pytest.mark.parametrize("consumed", [False, True])
def test_a_commit_left_behind_is_not_handed_on(tmp_path, monkeypatch, consumed):
    """What it holds may be gone: consumed files that their owner still has, or pruned objects."""
    monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: None)
    with make_repo(tmp_path / "repo", RepoMode.BARE_USER) as repo:
        configure(repo, fsync="true")
        source = tmp_path / "file"
        source.write_bytes(b"content")
        left = []
        with pytest.raises(RuntimeError), Transaction(repo) as tx:
            if consumed:
                fd = os.open(source, os.O_RDONLY)
                tx.writer.adopt(FileHeader(UID, GID, stat.S_IFREG | 0o644), fd)
                os.close(fd)
            left.append(tx.writer.write_metadata(ObjectType.COMMIT, b"a commit"))
            raise RuntimeError
        with Transaction(repo) as tx:
            tx.commit()
        assert not has_object(repo, ObjectName(left[0], ObjectType.COMMIT))


@pytest.mark.parametrize("kept", [False, True])
def test_what_was_written_before_ctrl_c(tmp_path, kept):
    with make_repo(tmp_path / "repo") as repo:
        repo.config = repo.config._replace(fsync=True)
        with pytest.raises(KeyboardInterrupt), Transaction(repo, keep_interrupted=kept) as tx:
            tx.writer.write_data(FileHeader(0, 0, stat.S_IFREG | 0o644), b"hard to get")
            raise KeyboardInterrupt
        assert bool(list(tmp_path.glob("repo/tmp/staging-*/*/*"))) == kept
