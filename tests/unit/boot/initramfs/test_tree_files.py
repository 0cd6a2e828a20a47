# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import ELOOP

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.tree_files import TreeFiles


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "tree"
    (top / "usr/bin").mkdir(parents=True)
    (top / "usr/bin/real").write_bytes(b"it")
    (top / "bin").symlink_to("usr/bin")
    (top / "usr/bin/absolute").symlink_to("/bin/real")
    (top / "usr/bin/up").symlink_to("../../../../../usr/./bin//real")
    (top / "usr/bin/loop").symlink_to("loop")
    (tmp_path / "outside").write_text("secret")
    (top / "out").symlink_to(str(tmp_path / "outside"))
    os.mkfifo(top / "pipe")
    fd = open_dir(str(top))
    yield TreeFiles(fd)
    os.close(fd)


@pytest.mark.parametrize("path", ["bin/real", "/bin/absolute", "usr/bin/up", "bin/../bin/real"])
def test_links_are_those_of_its_root(tree, path):
    assert tree.find_file(path) == "usr/bin/real"
    assert tree.read(path) == b"it"


def test_what_is_not_there(tree):
    assert tree.find_file("usr/bin/none") is None
    assert tree.find_file("usr/bin/real/below") is None
    assert tree.find_file("usr") is None
    assert tree.find_dir("bin") == "usr/bin"
    assert tree.read_text("none") == ""
    with pytest.raises(InitramfsError, match="the tree has no file /none"):
        tree.read("none")
    with pytest.raises(InitramfsError, match="the tree has no file /pipe"):
        tree.read("pipe")


def test_nothing_outside_is_read(tree):
    assert tree.find_file("out") is None


def test_circles(tree):
    with pytest.raises(OSError, match="symbolic") as caught:
        tree.resolve("bin/loop")
    assert caught.value.errno == ELOOP


def test_names(tree):
    assert tree.names("bin") == ["absolute", "loop", "real", "up"]
    assert tree.names("none") == []
    assert tree.names("/") == ["bin", "out", "pipe", "usr"]
