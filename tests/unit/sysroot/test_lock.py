# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import threading
import time

import pytest

from ostrya._linux import flock
from ostrya.errors import SysrootError
from ostrya.sysroot import lock as module
from ostrya.sysroot import paths
from ostrya.sysroot.lock import sysroot_lock
from support.small_repos import open_fds


def test_taken_and_given_back(machine):
    before = open_fds()
    path = machine.root / paths.LOCK
    with sysroot_lock(machine.sysroot):
        fd = os.open(path, os.O_RDWR)
        assert not flock.try_lock(fd, exclusive=True)
        os.close(fd)
    assert not path.exists()
    with sysroot_lock(machine.sysroot):
        pass
    assert open_fds() == before


def test_a_directory_that_is_no_sysroot(machine):
    """Somebody forgot to say which one, and it is not the running system's either."""
    machine.root.joinpath("ostree").rename(machine.root / "elsewhere")
    before = open_fds()
    with (
        pytest.raises(SysrootError, match="sysroot is no sysroot: it has no directory 'ostree'"),
        sysroot_lock(machine.sysroot),
    ):
        pass
    assert open_fds() == before


def test_given_back_after_an_error(machine):
    with pytest.raises(ZeroDivisionError), sysroot_lock(machine.sysroot):
        1 / 0  # noqa: B018
    with sysroot_lock(machine.sysroot):
        pass


def test_one_after_the_other(machine):
    """Even where the first one deletes the file that the others wait for."""
    inside, order = [], []

    def work(number: int) -> None:
        with machine.open() as sysroot, sysroot_lock(sysroot):
            inside.append(number)
            assert len(inside) == 1
            time.sleep(0.01)
            order.append(number)
            inside.pop()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(order) == list(range(6))


def test_who_waits_is_told_once(machine, monkeypatch):
    told = []
    monkeypatch.setattr(module.flock, "find_holders", lambda _fd: ["somebody"])
    with sysroot_lock(machine.sysroot):
        timer = threading.Timer(0.2, lambda: None)
        timer.start()

        def wait() -> None:
            with machine.open() as sysroot, sysroot_lock(sysroot, told.append):
                pass

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.3)
        assert told == [["somebody"]]
    waiting.join()
    assert told == [["somebody"]]
