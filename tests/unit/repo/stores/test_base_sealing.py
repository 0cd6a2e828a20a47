# SPDX-License-Identifier: Apache-2.0
"""Objects are sealed by the kernel before they get their names."""

from __future__ import annotations

import fcntl
import os

import pytest

from ostrya._linux import fsverity
from ostrya._linux.atomic import write_all
from ostrya.errors import RepoError
from ostrya.repo.config import Tristate
from ostrya.repo.stores.base import Destination

PATH = "ab/cdef.file"


class Kernel:
    """Answers requests to seal, and remembers what it was given."""

    def __init__(self, *, able: bool) -> None:
        self.able = able
        self.seen: list[tuple[int, bytes, bool]] = []

    def try_enable(self, fd: int) -> bool:
        access = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE
        self.seen.append((access, os.pread(fd, 100, 0), os.fstat(fd).st_nlink == 0))
        return self.able


@pytest.fixture
def objects(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def publish(objects, wanted, kernel, monkeypatch, times=1):
    monkeypatch.setattr(fsverity, "try_enable", kernel.try_enable)
    destination = Destination(objects, scratch_fd=objects, sync_each=False, fsverity=wanted)
    for number in range(times):
        path = f"{PATH}{number}"
        with destination.begin(path) as tmp:
            write_all(tmp.fd, b"content")
            assert destination.publish(tmp, path)


@pytest.mark.parametrize("wanted", [Tristate.YES, Tristate.MAYBE])
def test_each_is_sealed_when_nobody_can_write_to_it(objects, tmp_path, monkeypatch, wanted):
    kernel = Kernel(able=True)
    publish(objects, wanted, kernel, monkeypatch, times=2)
    assert [seen[:2] for seen in kernel.seen] == [(os.O_RDONLY, b"content")] * 2
    assert (tmp_path / f"{PATH}1").read_bytes() == b"content"


def test_without_the_wish_nothing_is_asked(objects, monkeypatch):
    kernel = Kernel(able=True)
    publish(objects, Tristate.NO, kernel, monkeypatch)
    assert not kernel.seen


def test_maybe_asks_once_where_it_cannot_be(objects, tmp_path, monkeypatch):
    kernel = Kernel(able=False)
    publish(objects, Tristate.MAYBE, kernel, monkeypatch, times=3)
    assert len(kernel.seen) == 1
    assert (tmp_path / f"{PATH}2").read_bytes() == b"content"


def test_yes_leaves_nothing_unsealed(objects, tmp_path, monkeypatch):
    with pytest.raises(RepoError, match="fsverity required but filesystem does not support it"):
        publish(objects, Tristate.YES, Kernel(able=False), monkeypatch)
    assert not any((tmp_path / "ab").iterdir())
