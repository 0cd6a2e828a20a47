# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import threading

import pytest

from ostrya._linux import durability


def test_sync_of_a_file_system(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    durability.sync_filesystem(fd)
    os.close(fd)


def test_a_descriptor_that_is_not_open_is_told(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    os.close(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        durability.sync_filesystem(fd)


def test_writeback_is_only_a_hint(tmp_path):
    durability.start_writeback(-1)
    with (tmp_path / "f").open("wb") as stream:
        stream.write(b"x")
        stream.flush()
        durability.start_writeback(stream.fileno())


def test_one_early_sync_at_a_time(tmp_path, monkeypatch):
    calls, may_end = [], threading.Event()

    def sync(fd):
        calls.append(os.readlink(f"/proc/self/fd/{fd}"))
        may_end.wait(10)
        raise OSError(5, "told by the last sync")

    monkeypatch.setattr(durability, "sync_filesystem", sync)
    fd = os.open(tmp_path, os.O_RDONLY)
    with durability.EarlySync(fd) as early:
        os.close(fd)
        early.begin()
        early.begin()
        may_end.set()
    assert calls == [str(tmp_path)]
    assert threading.active_count() == 1


def test_an_error_does_not_wait_for_an_early_sync(tmp_path, monkeypatch):
    may_end = threading.Event()
    monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: may_end.wait(10))
    fd = os.open(tmp_path, os.O_RDONLY)
    early = durability.EarlySync(fd)
    early.begin()
    early.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert threading.active_count() == 2
    may_end.set()
    os.close(fd)
