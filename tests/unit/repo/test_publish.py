# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya._linux import durability
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo import publish, staging
from ostrya.repo.modes import RepoMode
from ostrya.repo.refs import resolve_ref
from ostrya.repo.staged import staged_path
from ostrya.repo.transaction import Transaction
from support.small_repos import commit_files, configure, make_repo, names_of

HEADER = FileHeader(0, 0, stat.S_IFREG | 0o644)
DIRMETA = DirMeta(0, 0, stat.S_IFDIR | 0o755).encode()


@pytest.fixture
def repo(tmp_path, monkeypatch):
    monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: None)
    with make_repo(tmp_path / "repo", RepoMode.ARCHIVE) as repo:
        configure(repo, fsync="true")
        yield repo


def objects_of(repo) -> set[str]:
    return {str(name) for name in names_of(repo)}


@pytest.fixture
def moves(monkeypatch):
    """Every name that something got by a rename, in order."""
    seen = []
    real_rename, real_new = os.rename, publish.rename_new

    def rename(src, dst, **fds):
        real_rename(src, dst, **fds)
        seen.append(str(dst))

    def rename_new(src, dst, **fds):
        done = real_new(src, dst, **fds)
        seen.append(str(dst))
        return done

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(publish, "rename_new", rename_new)
    return seen


def test_commits_come_last(repo, tmp_path, moves):
    """Whenever a commit can be seen, all that it needs can be seen."""
    commit_files(repo, tmp_path, {f"d{n}/f{n}": str(n) for n in range(40)})
    kinds = [name.rpartition(".")[2] for name in moves]
    commit_at = kinds.index("commit")
    assert {kind for kind in kinds[:commit_at] if len(kind) > 2} >= {"dirtree", "dirmeta"}
    assert set(kinds[commit_at + 1 :]) <= {"commitmeta", "main"}


def test_directories_of_new_files_move_at_once(repo, tmp_path, moves):
    commit_files(repo, tmp_path, {f"f{n}": str(n) for n in range(900)})
    assert len([name for name in moves if len(name) == 2]) > 200
    assert len([name for name in moves if name.endswith(".filez")]) < 40
    assert len([name for name in objects_of(repo) if name.endswith(".file")]) == 900


def test_where_there_are_objects_they_move_one_by_one(repo, tmp_path, moves):
    commit_files(repo, tmp_path, {f"f{n}": str(n) for n in range(900)})
    before = objects_of(repo)
    moves.clear()
    commit_files(repo, tmp_path, {f"g{n}": f"more {n}" for n in range(50)})
    # But for those whose directory is still empty.
    assert len([name for name in moves if name.endswith(".filez")]) > 40
    assert before < objects_of(repo)


@pytest.mark.parametrize("change", ["setgid", "acl"])
def test_directories_are_made_where_they_inherit_from_objects(repo, tmp_path, moves, change):
    objects = os.path.join(repo.path, "objects")
    if change == "setgid":
        os.chmod(objects, 0o2775)
    else:
        entries = bytes.fromhex("0200000001000700ffffffff04000700ffffffff20000700ffffffff")
        try:
            os.setxattr(objects, "system.posix_acl_default", entries)
        except OSError as exc:
            pytest.skip(f"no ACLs here: {exc}")
    commit_files(repo, tmp_path, {f"f{n}": str(n) for n in range(300)})
    assert [name for name in moves if len(name) == 2] == []
    for folder in os.scandir(objects):
        mode = folder.stat().st_mode
        assert mode & stat.S_ISGID if change == "setgid" else mode & 0o777 == 0o777


def test_an_object_published_meanwhile_stays_as_it_is(repo):
    """Checkouts may share its inode already."""
    with Transaction(repo) as tx:
        content = tx.writer.write_data(HEADER, b"content")
        path = os.path.join(repo.path, "objects", repo.store.path_of(content))
        os.mkdir(os.path.dirname(path))
        with open(path, "xb") as stream:
            stream.write(b"by another writer")
        inode = os.stat(path).st_ino
        tx.commit()
    assert os.stat(path).st_ino == inode


def test_tried_again_it_publishes_what_was_left(repo, monkeypatch):
    """A disk that was full for a moment."""

    def full(*_args):
        raise OSError(28, "No space left on device")

    with Transaction(repo) as tx:
        files = [tx.writer.write_data(HEADER, str(n).encode()) for n in range(600)]
        metas = [
            tx.writer.write_metadata(
                ObjectType.DIR_META, DirMeta(n, 0, stat.S_IFDIR | 0o755).encode()
            )
            for n in range(200)
        ]
        with monkeypatch.context() as patch:
            patch.setattr(publish, "_move_whole", full)
            with pytest.raises(OSError, match="No space"):
                tx.commit()
        assert os.listdir(os.path.join(repo.path, "tmp"))
        tx.commit()
    wanted = {str(ObjectName(name, ObjectType.FILE)) for name in files}
    wanted |= {str(ObjectName(name, ObjectType.DIR_META)) for name in metas}
    assert objects_of(repo) == wanted


@pytest.mark.parametrize("per_object", [False, True])
@pytest.mark.parametrize("files", [3, 80], ids=["few", "many"])
def test_every_directory_that_changed_is_synced_before_the_ref(
    repo, tmp_path, monkeypatch, per_object, files
):
    configure(repo, per_object_fsync=str(per_object).lower())
    synced = []
    real = os.fsync

    def sync_filesystem(_fd):
        """Note what is in place by now."""
        assert resolve_ref(repo, None, "main", allow_noent=True) is None
        present = {f"objects/{str(name)[:2]}" for name in names_of(repo)}
        synced.extend({"objects"} | present if present else ())

    def fsync(fd):
        path = os.path.relpath(os.readlink(f"/proc/self/fd/{fd}"), repo.path)
        if path.startswith("objects"):
            assert resolve_ref(repo, None, "main", allow_noent=True) is None
            synced.append(path)
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(durability, "sync_filesystem", sync_filesystem)
    commit_files(repo, tmp_path, {f"f{n}": str(n) for n in range(files)})
    changed = {"objects"} | {f"objects/{str(name)[:2]}" for name in names_of(repo)}
    assert changed <= set(synced)


def test_a_tombstone_goes_when_the_commit_is_back(repo, tmp_path):
    checksum = commit_files(repo, tmp_path, {"f": "1"})
    name = ObjectName(checksum, ObjectType.COMMIT)
    grave = ObjectName(checksum, ObjectType.TOMBSTONE_COMMIT)
    objects = os.path.join(repo.path, "objects")
    paths = [os.path.join(objects, loose_path(one, archive=True)) for one in (name, grave)]
    os.rename(*paths)
    with Transaction(repo) as tx:
        # As pull-local brings it: by a link.
        place = staged_path(loose_path(name, archive=True))
        staged = os.path.join(repo.path, "tmp", _staging_name(repo), place)
        os.makedirs(os.path.dirname(staged))
        os.link(paths[1], staged)
        tx.commit()
    assert os.path.exists(paths[0])
    assert not os.path.exists(paths[1])


def _staging_name(repo) -> str:
    names = os.listdir(os.path.join(repo.path, "tmp"))
    return next(n for n in names if n.startswith(staging.PREFIX) and not n.endswith("-lock"))
