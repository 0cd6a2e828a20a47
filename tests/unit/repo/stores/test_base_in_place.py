# SPDX-License-Identifier: Apache-2.0
"""Objects that grow under their own names, where nobody looks at them yet."""

from __future__ import annotations

import os

import pytest

from ostrya._linux.atomic import FileInPlace, write_all
from ostrya.repo.config import Tristate
from ostrya.repo.stores.base import Destination

PATH = "ab/cdef.file"


@pytest.fixture
def folder(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def staging(fd, **more) -> Destination:
    return Destination(fd, **{"scratch_fd": fd, "sync_each": False, "is_staging": True} | more)


def test_in_staging(folder, tmp_path):
    destination = staging(folder)
    with destination.begin_in_place(PATH) as tmp:
        write_all(tmp.fd, b"half")
        assert (tmp_path / "ab.files/cdef.file").read_bytes() == b"half"
        assert destination.publish(tmp, PATH)
    assert destination.has(PATH)
    assert destination.stat(PATH).st_nlink == 1


def test_gone_unless_it_is_published(folder, tmp_path):
    destination = staging(folder)
    with destination.begin_in_place(PATH):
        assert destination.has(PATH)
    assert os.listdir(tmp_path / "ab.files") == []


def test_one_that_is_there_stays(folder, tmp_path):
    """Two workers with the same file at once: neither touches what the other writes."""
    destination, other = staging(folder), staging(folder)
    with destination.begin_in_place(PATH) as first, other.begin_in_place(PATH) as second:
        write_all(second.fd, b"second")
        assert not other.publish(second, PATH)
        write_all(first.fd, b"first")
        assert destination.publish(first, PATH)
    assert (tmp_path / "ab.files/cdef.file").read_bytes() == b"first"
    assert os.listdir(tmp_path / "ab.files") == ["cdef.file"]


@pytest.mark.parametrize(
    "more",
    [
        {"is_staging": False},
        {"is_staging": False, "sync_each": True},
        {"fsverity": Tristate.YES},
        {"fsverity": Tristate.MAYBE},
    ],
    ids=repr,
)
def test_elsewhere_it_has_no_name_before_it_is_whole(folder, more):
    destination = staging(folder, **more)
    with destination.begin_in_place(PATH) as tmp:
        assert not isinstance(tmp, FileInPlace)
        assert not destination.has(PATH)


def test_through_no_link(folder, tmp_path):
    (tmp_path / "ab.files").mkdir()
    (tmp_path / "outside").write_bytes(b"old")
    (tmp_path / "ab.files/cdef.file").symlink_to(tmp_path / "outside")
    destination = staging(folder)
    with destination.begin_in_place(PATH) as tmp:
        write_all(tmp.fd, b"new")
        assert not destination.publish(tmp, PATH)
    assert (tmp_path / "outside").read_bytes() == b"old"
