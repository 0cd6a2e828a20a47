# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat
import threading

import pytest

from ostrya.fetch.fetcher import Response
from ostrya.formats.file_header import FileHeader
from ostrya.pull.content import ContentSink
from ostrya.repo.errors import ChecksumMismatch, ObjectInvalid, RepoModeError
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_file
from ostrya.repo.stores import base
from ostrya.repo.transaction import Transaction
from support.small_repos import GID, UID, WRITABLE_MODES, make_repo, open_fds

FILE = FileHeader(UID, GID, stat.S_IFREG | 0o644)
LINK = FileHeader(UID, GID, stat.S_IFLNK | 0o777, "target")
SETUID = FileHeader(UID, GID, stat.S_IFREG | 0o4755)


@pytest.fixture
def bodies(tmp_path):
    """Objects as an archive serves them, by name."""
    found = {}
    with make_repo(tmp_path / "source") as repo:
        with Transaction(repo) as tx:
            names = [tx.writer.write_data(FILE, b"%d" % n * 99) for n in range(50)]
            names += [tx.writer.write_data(FILE, b""), tx.writer.write_symlink(LINK)]
            tx.commit()
        for name in names:
            found[name] = (tmp_path / "source/objects" / repo.store.path_of(name)).read_bytes()
    return found


@pytest.fixture(params=WRITABLE_MODES, ids=lambda mode: mode.value)
def repo(request, tmp_path):
    with make_repo(tmp_path / "repo", request.param) as repo:
        yield repo


def canonical(repo):
    """Mode bare-user-only keeps no owner, so that only root's files keep their names there."""
    return repo.mode == RepoMode.BARE_USER_ONLY and (UID, GID) != (0, 0)


def response(body, *, in_file=False):
    if not in_file:
        return Response(200, "http://x", body, size=len(body))
    fd = os.memfd_create("body")
    os.write(fd, body)
    os.lseek(fd, 0, os.SEEK_SET)
    return Response(200, "http://x", spool_fd=fd, size=len(body))


@pytest.mark.parametrize("in_file", [False, True], ids=["in memory", "in files"])
@pytest.mark.parametrize("whole_bytes", [1, 1 << 20], ids=["in pieces", "whole"])
def test_stored_and_counted(repo, bodies, monkeypatch, in_file, whole_bytes):
    if canonical(repo):
        bodies = {}
    monkeypatch.setattr("ostrya.pull.content.WHOLE_BYTES", whole_bytes)
    monkeypatch.setattr(base, "WHOLE_BYTES", whole_bytes)
    before = open_fds()
    with Transaction(repo) as tx:
        with ContentSink(tx, jobs=3) as sink:
            for checksum, body in bodies.items():
                while sink.is_full:
                    sink.collect(wait=True)
                sink.put(checksum, response(body, in_file=in_file))
            while sink.under_way:
                sink.collect(wait=True)
            assert sink.stored == len(bodies)
        stats = tx.commit()
    assert stats.content_written == len(bodies)
    assert [fd for fd in open_fds() - before if not fd.endswith(".lock")] == []
    assert threading.active_count() == 1
    for checksum in bodies:
        with load_file(repo, checksum) as loaded:
            loaded.read()


@pytest.mark.parametrize("trusted", [False, True])
def test_damage(tmp_path, bodies, trusted):
    (checksum, body), (other, _), *_ = bodies.items()
    with make_repo(tmp_path / "repo") as repo, Transaction(repo) as tx:
        for bad, error in (
            (body, ChecksumMismatch),
            (body[:-1], ObjectInvalid),
            (b"", ObjectInvalid),
        ):
            name = other if bad == body else checksum
            with ContentSink(tx, jobs=2, trusted=trusted) as sink:
                sink.put(name, response(bad))
                if trusted:
                    sink.collect(wait=True)
                    continue
                with pytest.raises(error, match=name):
                    sink.collect(wait=True)
        # Unseen, only an archive takes what an archive gets.
        assert tx.counts.content_written == (2 if trusted else 0)


def test_modes_that_are_not_wanted(tmp_path):
    with make_repo(tmp_path / "source") as source, Transaction(source) as tx:
        checksum = tx.writer.write_data(SETUID, b"x")
        tx.commit()
    body = (tmp_path / "source/objects" / source.store.path_of(checksum)).read_bytes()
    with make_repo(tmp_path / "repo") as repo, Transaction(repo) as tx:
        for trusted in (False, True):
            sink = ContentSink(tx, jobs=1, check_user_only_modes=True, trusted=trusted)
            with sink:
                sink.put(checksum, response(body))
                with pytest.raises(RepoModeError, match="invalid mode 0104755 with bits 04000"):
                    sink.collect(wait=True)


def test_what_was_not_begun_is_dropped(tmp_path, bodies):
    with make_repo(tmp_path / "repo") as repo, Transaction(repo) as tx:
        before = open_fds()
        sink = ContentSink(tx, jobs=1)
        for checksum, body in list(bodies.items())[:10]:
            sink.put(checksum, response(body, in_file=True))
        sink.close()
        assert [fd for fd in open_fds() - before if "memfd" in fd] == []
        assert threading.active_count() == 1
