# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.image.errors import SourceError
from ostrya.image.sources import take_in
from ostrya.repo.reader import load_dirmeta
from ostrya.tree.errors import ArchiveError
from support.image_world import ROOTFS, Member, write_tar
from support.trees import write


def test_an_archive_says_who_owns_what(tx, tmp_path):
    editor, left_out = take_in(tx, str(write_tar(tmp_path / "x.tar", ROOTFS)))
    assert editor.header("etc/shadow")[:3] == (0, 42, 0o100640)
    assert editor.header("usr/bin/setuid").mode == 0o104755
    assert editor.header("usr/bin/capable").xattrs[0][0] == b"security.capability"
    owner = load_dirmeta(tx.repo, editor.find_dir("home/user").metadata_checksum)
    assert (owner.uid, owner.mode) == (1000, 0o40700)
    assert left_out == ("/var/lib/pipe",)


def test_places_that_the_kernel_fills_are_empty(tx, tmp_path):
    editor = take_in(tx, str(write_tar(tmp_path / "x.tar", ROOTFS))).editor
    assert [editor.names(name) for name in ("dev", "run", "tmp")] == [[], [], []]


def test_in_a_directory_all_is_of_root_unless_root_looks(tx, tmp_path):
    write(tmp_path / "tree/usr/file", b"x", 0o600)
    os.mkfifo(tmp_path / "tree/usr/fifo")
    editor, left_out = take_in(tx, str(tmp_path / "tree"))
    found = editor.header("usr/file")
    assert found.mode == 0o100600
    owner = 0 if os.geteuid() else os.stat(tmp_path).st_uid
    assert (found.uid, found.gid) == (owner, owner)
    assert left_out == ("/usr/fifo",)


@pytest.mark.parametrize("name", ["../etc/passwd", "usr/../../x", "a/../../b"])
def test_hostile_paths_are_refused(tx, tmp_path, name):
    with pytest.raises(ArchiveError):
        take_in(tx, str(write_tar(tmp_path / "x.tar", {name: Member(b"x")})))


def test_what_is_neither_is_refused(tx, tmp_path):
    with pytest.raises(SourceError, match="there is no root file system"):
        take_in(tx, str(tmp_path / "nowhere"))
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SourceError, match="neither a directory nor an archive"):
        take_in(tx, str(tmp_path / "fifo"))
