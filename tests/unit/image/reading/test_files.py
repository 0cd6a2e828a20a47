# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.reading.ext4 import Ext4
from ostrya.image.reading.files import FileKind, View


@pytest.fixture
def files(make_ext4, open_source, tree):
    return Ext4(open_source(make_ext4(tree)))


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/small", "/small"),
        ("small", "/small"),
        ("/dir/up", "/small"),
        ("/root/file", "/dir/sub/file"),
        ("/dir/./sub/../up", "/small"),
        ("/out", "/small"),
        ("/../../small", "/small"),
        ("/", "/"),
    ],
)
def test_links_are_followed_but_never_out(files, path, real):
    assert View(files).find(path).path == real


def test_the_root_of_a_view_may_be_a_directory(files):
    below = View(files, View(files).find("/dir").entry)
    # Above its root is its root; its links begin there too.
    with pytest.raises(DiskError, match="/up is not there"):
        below.find("/up")
    assert below.find("/../sub/file").path == "/sub/file"


def test_a_link_at_the_end_is_itself_if_that_is_asked(files):
    place = View(files).find("/dir/up", follow=False)
    assert place.entry.kind is FileKind.LINK


def test_something_else_may_be_mounted(files):
    view = View(files)
    view.mount("/dir/sub", files, View(files).find("/many").entry)
    assert view.find("/root/a rather long name of a file 00007").entry.size_bytes == 1
    assert view.find("/dir/sub/../up").path == "/small"
    (found,) = [one for one in view.entries(view.find("/dir")) if one.path == "/dir/sub"]
    assert found.entry.handle == View(files).find("/many").entry.handle


@pytest.mark.parametrize(
    ("path", "words"),
    [("/loop", "in circles"), ("/nothing", "not there"), ("/small/x", "/small/x is not there")],
)
def test_what_is_not_there(files, path, words):
    with pytest.raises(DiskError, match=words):
        View(files).find(path)


def test_reading_is_bounded(files):
    view = View(files)
    assert view.read("/dir/up", max_bytes=6) == b"small\n"
    with pytest.raises(DiskError, match="more than 5"):
        view.read("/small", max_bytes=5)
    with pytest.raises(DiskError, match="is no file"):
        view.read("/dir", max_bytes=5)
