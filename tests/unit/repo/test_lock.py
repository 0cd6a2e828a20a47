# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ostrya.repo.errors import RepoLocked
from ostrya.repo.lock import NO_LOCKING, WAIT_FOREVER, RepoLock


@pytest.fixture
def make_lock(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    locks = []

    def make(timeout_s: int = 0, on_wait=None) -> RepoLock:
        locks.append(RepoLock(fd, timeout_s, on_wait))
        return locks[-1]

    yield make
    for lock in locks:
        lock.close()
    os.close(fd)


def is_free(make_lock, *, exclusive: bool) -> bool:
    """Whether another holder could have it now."""
    other = make_lock()
    try:
        with other.hold(exclusive=exclusive):
            return True
    except RepoLocked:
        return False


def test_shared_by_many(make_lock):
    with make_lock().hold(exclusive=False), make_lock().hold(exclusive=False):
        assert is_free(make_lock, exclusive=False)
        assert not is_free(make_lock, exclusive=True)
    assert is_free(make_lock, exclusive=True)


def test_exclusive_for_one(make_lock):
    with make_lock().hold(exclusive=True):
        assert not is_free(make_lock, exclusive=False)
        assert not is_free(make_lock, exclusive=True)
    assert is_free(make_lock, exclusive=True)


def test_taken_again_it_is_counted(make_lock):
    lock = make_lock()
    with lock.hold(exclusive=True):
        with lock.hold(exclusive=True), lock.hold(exclusive=False):
            pass
        assert not is_free(make_lock, exclusive=False)
    assert is_free(make_lock, exclusive=True)


def test_exclusive_stays_until_its_last_holder_and_then_becomes_shared(make_lock):
    lock = make_lock()
    lock.push(exclusive=False)
    lock.push(exclusive=True)
    lock.push(exclusive=True)
    lock.pop(exclusive=True)
    assert not is_free(make_lock, exclusive=False)
    lock.pop(exclusive=True)
    assert is_free(make_lock, exclusive=False)
    assert not is_free(make_lock, exclusive=True)
    lock.pop(exclusive=False)
    assert is_free(make_lock, exclusive=True)


def test_shared_within_exclusive_may_outlive_it(make_lock):
    lock = make_lock()
    lock.push(exclusive=True)
    lock.push(exclusive=False)
    lock.pop(exclusive=True)
    assert is_free(make_lock, exclusive=False)
    assert not is_free(make_lock, exclusive=True)
    lock.pop(exclusive=False)
    assert is_free(make_lock, exclusive=True)


def test_a_conversion_that_fails_keeps_what_was_held(make_lock):
    lock = make_lock()
    with lock.hold(exclusive=False):
        with make_lock().hold(exclusive=False), pytest.raises(RepoLocked):
            lock.push(exclusive=True)
        assert not is_free(make_lock, exclusive=True)
        with lock.hold(exclusive=True):
            assert not is_free(make_lock, exclusive=False)
    assert is_free(make_lock, exclusive=True)


def test_no_locking_leaves_the_lock_alone(make_lock, tmp_path):
    lock = make_lock(NO_LOCKING)
    with lock.hold(exclusive=True), make_lock(NO_LOCKING).hold(exclusive=True):
        assert not (tmp_path / ".lock").exists()


def test_closing_loses_it(make_lock):
    lock = make_lock()
    lock.push(exclusive=True)
    lock.close()
    assert is_free(make_lock, exclusive=True)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock until its stdin is closed."""
    script = (
        "import os, sys; from ostrya.repo.lock import RepoLock\n"
        "lock = RepoLock(os.open(sys.argv[1], os.O_RDONLY), 0)\n"
        "lock.push(exclusive=True)\n"
        "print('locked', flush=True); sys.stdin.readline()\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path), "the-holder"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        yield process
        process.stdin.close()


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_refusal_names_the_holder(make_lock, holder, exclusive):
    with pytest.raises(RepoLocked, match=r"^Locking repo (shared|exclusive) failed: ") as caught:
        make_lock(0).push(exclusive=exclusive)
    assert f"pid {holder.pid}" in caught.value.hint
    assert "the-holder" in caught.value.hint


def test_waiting_ends_in_a_refusal(make_lock, holder):
    told = []
    with pytest.raises(RepoLocked):
        make_lock(2, told.append).push(exclusive=False)
    ((found,),) = told
    assert found.pid == holder.pid


def test_waiting_ends_when_the_lock_is_free(make_lock, holder):
    def let_go(_holders):
        holder.stdin.write(b"\n")
        holder.stdin.flush()

    lock = make_lock(WAIT_FOREVER, let_go)
    with lock.hold(exclusive=True):
        assert not is_free(make_lock, exclusive=False)


def test_a_holder_that_was_killed_holds_nothing(make_lock, holder):
    holder.kill()
    holder.wait()
    assert is_free(make_lock, exclusive=True)
