# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import NoReturn

import pytest

from ostrya._linux import flock
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo import staging
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_file
from ostrya.repo.repository import open_repository
from ostrya.repo.runtime import Runtime
from ostrya.repo.transaction import Transaction
from ostrya.repo.verify import ObjectVerifier
from support.small_repos import WRITABLE_MODES, configure, make_repo, need_user_xattrs, open_fds

BOOT = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
NAME = f"{'c' * 62}.dirmeta"


@pytest.fixture
def repo(tmp_path):
    make_repo(tmp_path / "repo").close()
    with open_repository(str(tmp_path / "repo"), runtime=Runtime(boot_id=BOOT)) as repo:
        yield repo


@pytest.fixture
def tmp(repo) -> Path:
    return Path(repo.path) / "tmp"


def hold(tmp: Path, name: str) -> int:
    fd = os.open(tmp / f"{name}-lock", os.O_CREAT | os.O_RDWR)
    assert flock.try_lock(fd, exclusive=True)
    return fd


def make_old(path: Path) -> None:
    long_ago = time.time() - 10 * 24 * 3600
    os.utime(path, (long_ago, long_ago), follow_symlinks=False)


def test_the_running_boot_names_it(tmp_path):
    with make_repo(tmp_path / "r") as repo:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert staging.boot_prefix(repo) == f"staging-{boot_id}-"


def test_made_anew_and_released(repo, tmp):
    before = open_fds()
    taken = staging.allocate(repo)
    assert taken.name.startswith(f"staging-{BOOT}-")
    assert (tmp / taken.name).is_dir()
    assert (tmp / f"{taken.name}-lock").is_file()
    staging.release(repo, taken, delete=True)
    assert sorted(os.listdir(tmp)) == ["cache"]
    assert open_fds() == before


def test_one_of_this_boot_is_taken_up(repo, tmp):
    taken = staging.allocate(repo)
    (tmp / taken.name / "meta").mkdir()
    (tmp / taken.name / "meta" / f"ab{NAME}").write_bytes(b"object")
    staging.release(repo, taken, delete=False)
    again = staging.allocate(repo)
    assert again.name == taken.name
    assert (tmp / again.name / "meta" / f"ab{NAME}").read_bytes() == b"object"
    staging.release(repo, again, delete=True)


def test_unfinished_files_are_dropped(repo, tmp):
    place = tmp / f"staging-{BOOT}-abcdef" / "meta"
    place.mkdir(parents=True)
    (place / "tmp.0123").write_bytes(b"half")
    (place.parent / "tmp.0123").write_bytes(b"half")
    (place / f"ab{NAME}").write_bytes(b"object")
    (place / f"{'d' * 64}.commitmeta").write_bytes(b"")
    os.link(place / f"ab{NAME}", place / f"{'e' * 64}.dirmeta")
    (place / f"{'f' * 64}.dirmeta").write_bytes(b"kept")
    taken = staging.allocate(repo)
    assert taken.name == f"staging-{BOOT}-abcdef"
    # Of two links to one file, the last one left is nobody else's any more.
    left = set(os.listdir(place))
    assert f"{'f' * 64}.dirmeta" in left
    assert len(left) == 2
    assert os.listdir(place.parent) == ["meta"]
    staging.release(repo, taken, delete=True)


@pytest.mark.parametrize("mode", WRITABLE_MODES)
def test_files_that_a_killed_process_was_writing_are_dropped(tmp_path, mode):
    """A writer goes away before every call from the first write on; the next one starts again."""
    need_user_xattrs(tmp_path)
    steps = 0
    data = b"content" * 100
    owner = (0, 0) if mode == RepoMode.BARE_USER_ONLY else (os.getuid(), os.getgid())
    header = FileHeader(*owner, stat.S_IFREG | 0o640)
    while True:
        folder = tmp_path / str(steps)
        make_repo(folder, mode).close()
        with open_repository(str(folder), runtime=Runtime(boot_id=BOOT)) as repo:
            configure(repo, fsync="true", per_object_fsync="false")
            pid = os.fork()
            if pid == 0:
                write_and_go_away(repo, header, data, steps)
            ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with Transaction(repo) as tx:
                checksum = tx.writer.write_data(header, data)
                tx.commit()
            with load_file(repo, checksum) as found:
                assert (found.header, found.read()) == (header, data)
            ObjectVerifier(repo).verify(ObjectName(checksum, ObjectType.FILE))
        if ended == FINISHED:
            break
        steps += 1
    assert steps >= 3


WHOLE, FINISHED = 7, 8


def write_and_go_away(repo, header, data, steps) -> NoReturn:
    """Write half of an object or more, and end without any clean-up."""
    left = steps

    def counted(real):
        def call(*args, **more):
            nonlocal left
            if left == 0:
                os._exit(WHOLE)
            left -= 1
            return real(*args, **more)

        return call

    def half(fd, data):
        os.truncate(fd, len(data) // 2)
        return counted(real_write)(fd, data)

    def half_of_all(fd, buffers):
        os.truncate(fd, len(buffers[0]) + 1)
        return counted(real_writev)(fd, buffers)

    real_write, real_writev = os.write, os.writev
    os.write, os.writev = half, half_of_all
    for name in ("fchown", "fchmod", "setxattr", "utime", "close", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))
    with Transaction(repo) as tx:
        tx.writer.write_data(header, data)
        os._exit(FINISHED)


def test_what_libostree_left_is_taken_over(repo, tmp):
    """It names only what is whole, in directories of two letters."""
    place = tmp / f"staging-{BOOT}-abcdef"
    kept = {f"ab/{'1' * 62}.file": "ab", f"ab/{'2' * 62}.dirtree": "meta"}
    (place / "ab").mkdir(parents=True)
    for path in (*kept, f"ab/{'3' * 62}.commit", f"ab/{'4' * 62}.commitmeta", "ab/tmp.0123"):
        (place / path).write_bytes(path.encode())
    taken = staging.allocate(repo)
    for path, folder in kept.items():
        name = path[3:] if folder != "meta" else path.replace("/", "")
        assert (place / folder / name).read_bytes() == path.encode()
        assert os.listdir(place / folder) == [name]
    staging.release(repo, taken, delete=True)


def test_one_in_use_is_left_alone(repo, tmp):
    (tmp / f"staging-{BOOT}-inuse0").mkdir()
    fd = hold(tmp, f"staging-{BOOT}-inuse0")
    taken = staging.allocate(repo)
    assert taken.name != f"staging-{BOOT}-inuse0"
    staging.release(repo, taken, delete=True)
    staging.clean_tmp(repo)
    assert (tmp / f"staging-{BOOT}-inuse0").is_dir()
    os.close(fd)


def test_those_of_other_boots_are_deleted(repo, tmp):
    (tmp / f"staging-{OTHER}-abcdef/meta").mkdir(parents=True)
    (tmp / f"staging-{OTHER}-abcdef/meta/ab{NAME}").touch()
    staging.clean_tmp(repo)
    assert os.listdir(tmp) == ["cache"]


def test_unless_somebody_uses_them(repo, tmp):
    """Another container's boot id, on the same repository."""
    (tmp / f"staging-{OTHER}-abcdef").mkdir()
    fd = hold(tmp, f"staging-{OTHER}-abcdef")
    staging.clean_tmp(repo)
    assert (tmp / f"staging-{OTHER}-abcdef").is_dir()
    os.close(fd)
    staging.clean_tmp(repo)
    assert os.listdir(tmp) == ["cache"]


def test_of_this_boot_nothing_is_deleted_for_its_age(repo, tmp):
    place = tmp / f"staging-{BOOT}-abcdef"
    place.mkdir()
    make_old(place)
    staging.clean_tmp(repo)
    assert place.is_dir()


def test_old_leftovers_go_and_young_ones_stay(repo, tmp):
    for name in ("old", "young"):
        (tmp / name).touch()
        (tmp / f"{name}-dir/sub").mkdir(parents=True)
    (tmp / "old-link").symlink_to("/etc")
    for name in ("old", "old-dir", "old-link"):
        make_old(tmp / name)
    make_old(tmp / "cache")
    staging.clean_tmp(repo)
    assert sorted(os.listdir(tmp)) == ["cache", "young", "young-dir"]
    assert os.path.isdir("/etc")


def test_files_from_the_future_stay(repo, tmp):
    (tmp / "future").touch()
    os.utime(tmp / "future", (time.time() + 1e6, time.time() + 1e6))
    configure(repo, tmp_expiry_secs=0)
    staging.clean_tmp(repo)
    assert (tmp / "future").exists()


def test_a_lock_in_use_is_not_deleted_however_old(repo, tmp):
    """Else a second writer could lock the same staging directory."""
    configure(repo, tmp_expiry_secs=0)
    with Transaction(repo) as tx:
        name = tx._staging.name
        make_old(tmp / f"{name}-lock")
        staging.clean_tmp(repo)
        assert (tmp / f"{name}-lock").exists()
        assert staging._try_lock(repo, name) == -1


def test_a_lock_nobody_holds_goes_when_it_is_old(repo, tmp):
    (tmp / f"staging-{BOOT}-gone00-lock").touch()
    make_old(tmp / f"staging-{BOOT}-gone00-lock")
    staging.clean_tmp(repo)
    assert os.listdir(tmp) == ["cache"]


@pytest.mark.parametrize("make", [lambda p: p.touch(), lambda p: p.symlink_to("/etc")])
def test_what_is_named_like_one_but_is_no_directory(repo, tmp, make):
    make(tmp / f"staging-{BOOT}-abcdef")
    taken = staging.allocate(repo)
    assert taken.name != f"staging-{BOOT}-abcdef"
    staging.release(repo, taken, delete=True)


def test_the_lock_file_unlinked_by_its_last_holder_is_not_taken(repo, tmp, monkeypatch):
    """We open it, its holder unlinks it and lets go, we lock a file without a name."""
    name = f"staging-{BOOT}-abcdef"
    (tmp / f"{name}-lock").touch()
    real = flock.try_lock
    unlinked = []

    def try_lock(fd, *, exclusive):
        if not unlinked:
            os.unlink(tmp / f"{name}-lock")
            unlinked.append(name)
        return real(fd, exclusive=exclusive)

    monkeypatch.setattr(flock, "try_lock", try_lock)
    fd = staging._try_lock(repo, name)
    assert os.fstat(fd).st_nlink == 1
    os.close(fd)
