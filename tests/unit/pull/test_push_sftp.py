# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.fetch.errors import SftpError
from ostrya.fetch.sftp import SftpClient
from ostrya.pull.errors import PushLockLost, PushRefused
from ostrya.pull.push import push
from ostrya.pull.push_archive import ArchiveTarget
from ostrya.pull.push_lock import LOCK_NAME
from ostrya.pull.push_sftp import SftpFiles, parse_ssh_address
from ostrya.repo.fsck import fsck
from ostrya.repo.packing import Packed
from ostrya.repo.refs import list_refs
from ostrya.repo.repository import open_repository
from support.small_repos import commit_files
from support.sshd import need_sftp_server


@pytest.fixture
def files(tmp_path):
    with SftpClient([need_sftp_server()], "host") as client:
        yield SftpFiles(client, str(tmp_path / "a/b/repo"), "ssh://host/a/b/repo")


def test_files(files, tmp_path):
    files.make_layout()
    files.make_layout()
    assert files.read("x/y/z", 10) is None
    files.put("x/y/z", Packed(b"one"))
    files.put("x/y/z", Packed(b"two"))
    assert files.read("x/y/z", 10)[0] == b"two"
    assert files.exists("x/y/z")
    files.put("x/a", Packed(b""))
    assert sorted(files.list("x")) == ["x/a", "x/y/z"]
    assert sorted(files.list("")) == ["x/a", "x/y/z"]
    files.delete("x/a")
    files.delete("x/a")
    assert list(files.list("x")) == ["x/y/z"]
    assert not list((tmp_path / "a/b/repo/tmp").iterdir())


def test_compared_and_replaced(files):
    files.make_layout()
    assert files.replace("ref", b"one", None)
    assert not files.replace("ref", b"two", None)
    tag = files.read("ref", 10)[1]
    assert files.replace("ref", b"two", tag)
    assert not files.replace("ref", b"three", tag)
    assert files.read("ref", 10)[0] == b"two"
    assert not files.exists(LOCK_NAME)


def test_the_lock_s_files(files, tmp_path):
    files.make_layout()
    assert files.lock_age_s("lock") is None
    lock = files.create_lock("lock", "mine")
    assert lock is not None
    assert files.create_lock("lock", "another") is None
    assert files.read_lock("lock") == "mine"
    assert files.lock_age_s("lock") in {0.0, 1.0, 2.0}
    os.utime(tmp_path / "a/b/repo/lock", (1, 1))
    assert (files.lock_age_s("lock") or 0) > 1000
    assert files.move_lock("lock", "other")
    assert not files.move_lock("lock", "other")
    assert files.read_lock("lock") is None
    lock.refresh()
    assert files.lock_age_s("other") in {0.0, 1.0, 2.0}
    lock.close()
    files.delete_lock("other")
    assert list(files.list("")) == []


def test_a_lock_that_is_lost_stops_before_the_last_step(files, tmp_path, monkeypatch):
    files.make_layout()
    monkeypatch.setattr(files, "put", _after(files.put, lambda: _steal(tmp_path / "a/b/repo")))
    with pytest.raises(PushLockLost):
        files.replace("ref", b"one", None)
    assert not files.exists("ref")
    assert files.read_lock(LOCK_NAME) == "another"
    assert [path for path in files.list("") if path != LOCK_NAME] == []


def _after(put, first):
    def changed(path, packed, before_rename):
        first()
        put(path, packed, before_rename)

    return changed


def _steal(folder):
    (folder / LOCK_NAME).unlink()
    (folder / LOCK_NAME).write_text("another")


def test_where_nothing_can_be_written(files, tmp_path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(SftpError):
        files.make_layout()


def test_pushed(files, repo, tmp_path):
    commit = commit_files(repo, tmp_path, {f"dir/{n}": str(n) for n in range(20)})
    push(repo, ArchiveTarget(files), ["main"])
    with open_repository(str(tmp_path / "a/b/repo")) as out:
        assert list_refs(out) == {"main": commit}
        assert fsck(out).partial == 0


@pytest.mark.parametrize(
    ("address", "tail", "folder", "shown"),
    [
        ("ssh://host/srv/repo", ["-s", "--", "host", "sftp"], "/srv/repo", "host/srv/repo"),
        ("ssh://host/~/my%20repo/", ["-s", "--", "host", "sftp"], "my repo", "host/my repo"),
        (
            "ssh://me@host:2222/r",
            ["-p", "2222", "-l", "me", "-s", "--", "host", "sftp"],
            "/r",
            "host/r",
        ),
        ("sftp://[::1]/r", ["-s", "--", "::1", "sftp"], "/r", "::1/r"),
    ],
)
def test_addresses(address, tail, folder, shown):
    argv, found_folder, found_shown = parse_ssh_address(address, ["A=b"])
    assert argv[0] == "ssh"
    assert argv[-len(tail) - 1 :] == ["-oA=b", *tail]
    assert (found_folder, found_shown) == (folder, shown)


@pytest.mark.parametrize(
    "address",
    ["ssh://host", "ssh://host/", "ssh:///x", "ssh://-oA/x", "ssh://a:b@host/x", "ssh://host:x/y"],
)
def test_no_address(address):
    with pytest.raises(PushRefused, match="cannot push to ssh://"):
        parse_ssh_address(address)
