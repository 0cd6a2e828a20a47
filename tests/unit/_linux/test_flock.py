# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from errno import EINVAL

import pytest

from ostrya._linux import flock


@pytest.fixture(params=["ofd", "flock"])
def kind(request, monkeypatch):
    """With open file description locks, and as where they are missing."""
    if request.param == "flock":

        def missing(_fd, _kind):
            raise OSError(EINVAL, os.strerror(EINVAL))

        monkeypatch.setattr(flock, "_set_ofd", missing)
    return request.param


@pytest.fixture
def open_lock(tmp_path):
    fds = []

    def open_one():
        fds.append(os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC))
        return fds[-1]

    yield open_one
    for fd in fds:
        os.close(fd)


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize(
    ("first", "second", "granted"),
    [(False, False, True), (False, True, False), (True, False, False), (True, True, False)],
)
def test_who_gets_along(open_lock, first, second, granted):
    one, two = open_lock(), open_lock()
    assert flock.try_lock(one, exclusive=first)
    assert flock.try_lock(two, exclusive=second) is granted
    flock.unlock(one)
    assert flock.try_lock(two, exclusive=second)


@pytest.mark.usefixtures("kind")
def test_conversion_both_ways(open_lock):
    one, two = open_lock(), open_lock()
    assert flock.try_lock(one, exclusive=True)
    assert flock.try_lock(one, exclusive=False)
    assert flock.try_lock(two, exclusive=False)
    assert not flock.try_lock(one, exclusive=True)
    flock.unlock(two)
    assert flock.try_lock(one, exclusive=True)


def test_ofd_and_flock_do_not_see_each_other(open_lock):
    """Why the first choice must be libostree's: a mixture would lock nobody out."""
    one, two = open_lock(), open_lock()
    assert flock.try_lock(one, exclusive=True)
    fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_lock_is_an_ofd_lock_as_libostree_takes_it(open_lock):
    """A process-wide POSIX lock of another process must meet it."""
    fd = open_lock()
    assert flock.try_lock(fd, exclusive=True)
    script = (
        "import fcntl, os, struct, sys\n"
        "fd = os.open(sys.argv[1], os.O_RDWR)\n"
        "try: fcntl.fcntl(fd, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))\n"
        "except BlockingIOError: print('busy')\n"
    )
    path = os.readlink(f"/proc/self/fd/{fd}")
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, check=True)
    assert done.stdout == b"busy\n"


def test_errors_that_are_not_about_being_busy_are_told(open_lock):
    fd = os.open("/", os.O_RDONLY)
    try:
        with pytest.raises(OSError, match=r"."):
            flock.try_lock(fd, exclusive=True)
    finally:
        os.close(fd)


def test_the_holder_is_named(open_lock):
    fd = open_lock()
    path = os.readlink(f"/proc/self/fd/{fd}")
    script = (
        "import sys; from ostrya._linux import flock\n"
        "stream = open(sys.argv[1], 'r+')\n"
        "assert flock.try_lock(stream.fileno(), exclusive=True)\n"
        "print('locked', flush=True); sys.stdin.read()\n"
    )
    argv = [sys.executable, "-c", script, path]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"locked\n"
        (found,) = flock.find_holders(fd)
        assert found.pid == holder.pid
        assert path in found.command
        assert str(found).startswith(f"pid {holder.pid} ({found.command}), running since 20")
        holder.stdin.close()
    assert flock.find_holders(fd) == []


def test_who_has_it_open_without_a_lock_is_no_holder(open_lock):
    fd = open_lock()
    path = os.readlink(f"/proc/self/fd/{fd}")
    script = "import sys; f = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    argv = [sys.executable, "-c", script, path]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        assert flock.find_holders(fd) == []
        other.stdin.close()
