# SPDX-License-Identifier: Apache-2.0
"""Objects on their way through a staging directory: begun in one place, whole in another."""

from __future__ import annotations

import os

import pytest

from ostrya._linux.atomic import write_all
from ostrya.repo.config import Tristate
from ostrya.repo.stores.base import Destination

PATH, META_PATH = "ab/cdef.file", "ab/cdef.dirtree"


@pytest.fixture
def folder(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def staging(fd, **more) -> Destination:
    return Destination(fd, **{"scratch_fd": fd, "sync_each": False, "is_staging": True} | more)


def rest(folder) -> list[str]:
    """What is in a staging directory, but for the directories of what is whole."""
    return [entry.name for entry in folder.iterdir() if not entry.is_dir()]


@pytest.mark.parametrize("more", [{}, {"fsverity": Tristate.MAYBE}], ids=repr)
@pytest.mark.parametrize(
    ("path", "place"), [(PATH, "ab/cdef.file"), (META_PATH, "meta/abcdef.dirtree")]
)
def test_it_has_its_name_once_it_is_published(folder, tmp_path, path, place, more):
    destination = staging(folder, **more)
    with destination.begin(path) as tmp:
        write_all(tmp.fd, b"content")
        assert not destination.has(path)
        assert destination.publish(tmp, path)
        assert (tmp_path / place).read_bytes() == b"content"
    assert destination.has(path)
    assert destination.stat(path).st_nlink == 1
    assert rest(tmp_path) == []


def test_gone_unless_it_is_published(folder, tmp_path):
    destination = staging(folder)
    with destination.begin(PATH):
        pass
    assert not destination.has(PATH)
    assert rest(tmp_path) == []


def test_one_that_is_there_stays(folder, tmp_path):
    """Two workers with the same file at once: the second leaves alone what the first has named."""
    destination, other = staging(folder), staging(folder)
    with destination.begin(PATH) as first, other.begin(PATH) as second:
        write_all(second.fd, b"second")
        write_all(first.fd, b"first")
        assert destination.publish(first, PATH)
        assert not other.publish(second, PATH)
    assert (tmp_path / PATH).read_bytes() == b"first"
    assert os.listdir(tmp_path / "ab") == ["cdef.file"]
    assert rest(tmp_path) == []


@pytest.mark.parametrize("sync_each", [False, True])
def test_elsewhere_it_begins_beside_its_place(folder, tmp_path, sync_each):
    destination = staging(folder, is_staging=False, sync_each=sync_each)
    with destination.begin(PATH) as tmp:
        assert os.listdir(tmp_path) == ["ab"]
        assert not destination.has(PATH)
        assert destination.publish(tmp, PATH)
    assert os.listdir(tmp_path / "ab") == ["cdef.file"]


def test_links_have_their_names_at_once_or_not_at_all(folder, tmp_path):
    destination = staging(folder)
    assert destination.publish_symlink("first", PATH)
    assert not destination.publish_symlink("second", PATH)
    assert os.readlink(tmp_path / PATH) == "first"
    assert rest(tmp_path) == []


def test_through_no_link(folder, tmp_path):
    (tmp_path / "ab").mkdir()
    (tmp_path / "outside").write_bytes(b"old")
    (tmp_path / PATH).symlink_to(tmp_path / "outside")
    destination = staging(folder)
    with destination.begin(PATH) as tmp:
        write_all(tmp.fd, b"new")
        assert not destination.publish(tmp, PATH)
    assert (tmp_path / "outside").read_bytes() == b"old"
