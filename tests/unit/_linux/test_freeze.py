# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
from errno import EIO, EPERM

import pytest

from ostrya._linux import freeze
from ostrya._linux.dirfd import open_dir


@pytest.fixture
def folder_fd(tmp_path):
    fd = open_dir(str(tmp_path))
    yield fd
    os.close(fd)


@pytest.fixture
def calls(monkeypatch):
    """What the kernel is asked for; nothing is frozen."""
    found: list[str] = []
    monkeypatch.setattr(freeze, "sync_filesystem", lambda _fd: found.append("sync"))
    monkeypatch.setattr(freeze, "_thaw", lambda _fd: found.append("thaw"))
    return found


def raise_error(number: int):
    def act(_fd: int) -> None:
        raise OSError(number, os.strerror(number))

    return act


def test_where_it_can_be_frozen(folder_fd, calls, monkeypatch):
    monkeypatch.setattr(freeze, "_freeze_and_thaw", lambda _fd: None)
    assert freeze.flush_filesystem(folder_fd)
    assert calls == []


def test_where_it_cannot_it_is_synced(folder_fd, calls, monkeypatch):
    monkeypatch.setattr(freeze, "_freeze_and_thaw", raise_error(EPERM))
    assert not freeze.flush_filesystem(folder_fd)
    # Perhaps somebody else has frozen it.
    assert calls == ["sync"]


def test_a_disk_that_fails(folder_fd, calls, monkeypatch):
    monkeypatch.setattr(freeze, "_freeze_and_thaw", raise_error(EIO))
    with pytest.raises(OSError, match=os.strerror(EIO)):
        freeze.flush_filesystem(folder_fd)
    assert calls == ["thaw"]


def test_a_child_that_is_killed(folder_fd, calls, monkeypatch):
    monkeypatch.setattr(
        freeze, "_freeze_and_thaw", lambda _fd: os.kill(os.getpid(), signal.SIGKILL)
    )
    assert not freeze.flush_filesystem(folder_fd)
    assert calls == ["thaw", "sync"]


def test_the_child_heeds_no_interruption(folder_fd, calls, monkeypatch):
    def interrupt(_fd: int) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)

    monkeypatch.setattr(freeze, "_freeze_and_thaw", interrupt)
    assert freeze.flush_filesystem(folder_fd)
    assert calls == []


def test_the_rescue(folder_fd, calls, monkeypatch):
    monkeypatch.setattr(freeze.fcntl, "ioctl", lambda *_args: None)
    freeze.rehearse_rescue(folder_fd)
    assert calls == ["thaw"]
    monkeypatch.setattr(freeze, "_freeze_and_die", raise_error(EPERM))
    freeze.rehearse_rescue(folder_fd)
    assert calls == ["thaw", "thaw"]
