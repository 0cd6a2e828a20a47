# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess

import pytest

from ostrya.image.changing.copy_out import copy_out
from ostrya.image.errors import DiskError
from ostrya.image.filesystem import find_program
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.system import usual_view


@pytest.fixture
def view(image):
    with DiskImage(str(image)) as disk:
        yield usual_view(disk)


def test_a_file_gets_a_name_or_goes_into_a_directory(view, tmp_path):
    (tmp_path / "out").mkdir()
    assert copy_out(view, "/dir/up", str(tmp_path / "named")) == []
    copy_out(view, "/dir/up", str(tmp_path / "out"))
    assert (tmp_path / "named").read_bytes() == (tmp_path / "out/up").read_bytes() == b"small\n"


def test_modes_and_times_are_kept_but_for_setuid(view, tree, tmp_path):
    copy_out(view, "/dir/script", str(tmp_path / "script"))
    found = (tmp_path / "script").stat()
    assert found.st_mode & 0o7777 == 0o755
    assert int(found.st_mtime) == int((tree / "dir/script").stat().st_mtime)


def test_a_tree_is_copied_links_as_links_and_holes_as_holes(view, tree, tmp_path):
    with pytest.raises(DiskError, match="/ is a directory"):
        copy_out(view, "/", str(tmp_path / "out"))
    copy_out(view, "/", str(tmp_path / "out"), recursive=True)
    subprocess.run(
        ["diff", "-r", "--no-dereference", "--exclude=lost+found", tree, tmp_path / "out"],
        check=True,
    )
    assert (tmp_path / "out/sparse").stat().st_blocks < 200
    # Once more, into what is there.
    os.unlink(tmp_path / "out/dir/up")
    copy_out(view, "/dir", str(tmp_path / "out"), recursive=True)
    assert os.readlink(tmp_path / "out/dir/up") == "../small"


def test_links_that_are_here_are_not_followed(view, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/dir").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DiskError, match="is no directory"):
        copy_out(view, "/dir", str(tmp_path / "out"), recursive=True)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_pipes_are_left_out_and_told(image, tmp_path):
    with DiskImage(str(image)) as disk:
        at = disk.volume("root").partition.offset
    argv = [find_program("debugfs"), "-w", "-R", "mknod pipe p", f"{image}?offset={at}"]
    subprocess.run(argv, check=True, capture_output=True)
    with DiskImage(str(image)) as disk:
        left = copy_out(usual_view(disk), "/", str(tmp_path / "out"), recursive=True)
    assert left == ["/pipe"]
    assert (tmp_path / "out/dir/up").is_symlink()


@pytest.mark.parametrize(
    ("path", "words"), [("/nothing", "not there"), ("/small", "is a directory")]
)
def test_what_cannot_be_copied(view, tmp_path, path, words):
    (tmp_path / "out/small").mkdir(parents=True)
    with pytest.raises(DiskError, match=words):
        copy_out(view, path, str(tmp_path / "out"))
    assert os.listdir(tmp_path / "out") == ["small"]
