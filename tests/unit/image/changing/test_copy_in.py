# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import os
import struct
import subprocess

import pytest

from ostrya.image.changing.copy_in import copy_in
from ostrya.image.errors import DiskError
from ostrya.image.filesystem import find_program
from ostrya.image.reading.addresses import parse_address, view_at
from ostrya.image.reading.disk import DiskImage


@pytest.fixture
def put(image, check):
    def put_it(place, source, **options):
        address = parse_address(f"{image}:{place}")
        with DiskImage(str(image)) as disk:
            copy_in(disk, address, str(source), **options)
        check()

    return put_it


def read(image, place):
    address = parse_address(f"{image}:{place}")
    with DiskImage(str(image)) as disk:
        view = view_at(disk, address)
        found = view.find(address.path)
        return (
            found.entry,
            b"".join(found.files.chunks(found.entry)),
            found.files.xattrs(found.entry),
        )


@pytest.fixture
def new(tmp_path):
    path = tmp_path / "new file"
    path.write_bytes(b"new\n" * 3000)
    path.chmod(0o640)
    os.utime(path, (1700000000, 1700000000))
    return path


def test_a_new_file_is_roots(image, put, new):
    put("/dir", new)
    entry, data, _ = read(image, "/dir/new file")
    assert data == b"new\n" * 3000
    assert (entry.uid, entry.gid, entry.mode, entry.mtime) == (0, 0, 0o640, 1700000000)


def test_what_is_replaced_keeps_what_it_was_but_its_other_names(image, put, new):
    with DiskImage(str(image)) as disk:
        at = disk.volume("root").partition.offset
    for command in (
        "sif small uid 7", "sif small gid 8", "sif small mode 0104711", "ea_set small security.x label",
    ):  # fmt: skip
        argv = [find_program("debugfs"), "-w", "-R", command, f"{image}?offset={at}"]
        subprocess.run(argv, check=True, capture_output=True)
    put("/dir/up", new)
    entry, data, xattrs = read(image, "/small")
    assert data == b"new\n" * 3000
    assert (entry.uid, entry.gid, entry.mode) == (7, 8, 0o4711)
    assert xattrs == ((b"security.x", b"label"),)
    assert read(image, "/other")[1] == b"small\n"


def test_a_tree_goes_in_with_its_links(image, put, tmp_path):
    top = tmp_path / "top"
    (top / "a/b").mkdir(parents=True)
    (top / "a/b/file").write_bytes(b"deep")
    (top / "link").symlink_to("a/b")
    with pytest.raises(DiskError, match="is a directory"):
        put("/dir", top)
    put("/dir", top, recursive=True)
    assert read(image, "/dir/top/link/file")[1] == b"deep"
    (top / "a/b/file").write_bytes(b"deeper")
    put("/dir", top, recursive=True)
    assert read(image, "/dir/top/a/b/file")[1] == b"deeper"


def test_a_fat_is_written_by_ourselves(image, put, new, tmp_path):
    put("boot:/dir/new.txt", new)
    put("1:/", new)
    assert read(image, "boot:/dir/new.txt")[1] == b"new\n" * 3000
    entry, data, _ = read(image, "boot:/new file")
    assert data == b"new\n" * 3000
    assert entry.mtime == 1700000000
    (tmp_path / "top/inner").mkdir(parents=True)
    (tmp_path / "top/inner/file").write_bytes(b"")
    put("boot:/", tmp_path / "top", recursive=True)
    assert read(image, "boot:/top/inner/file")[1] == b""


def test_what_cannot_be_copied_changes_nothing(image, put, new, tmp_path):
    before = image.read_bytes()
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(1 << 30)
    folder = tmp_path / "small"
    folder.mkdir()
    (tmp_path / "link").symlink_to("x")
    (folder / "link").symlink_to("x")
    for place, source, words in (
        ("/nothing/x", new, "not there"),
        ("/small/x", new, "no directory"),
        ("/new/", new, "not there"),
        ("/dir", large, "free in the image"),
        ("boot:/", large, "free in the image"),
        ("/small", folder, "is no directory"),
        ("boot:/", folder, "a FAT has nothing else"),
        ("boot:/boot.scr/x", new, "boot.scr"),
    ):
        with pytest.raises(DiskError, match=words):
            put(place, source, recursive=True)
    # But for the directory that was made on the FAT before its link was met.
    with DiskImage(str(image)) as disk:
        at = disk.volume("root").partition.offset
    assert image.read_bytes()[at:] == before[at:]


def test_a_directory_and_a_file_do_not_replace_each_other(image, put, new, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x/dir").write_bytes(b"")
    with pytest.raises(DiskError, match="is a directory in the image"):
        put("/", tmp_path / "x/dir")


def test_only_raw_images_are_changed(image, new, tmp_path):
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(image.read_bytes(), 1))
    with DiskImage(str(path)) as disk, pytest.raises(DiskError, match="only a raw image") as caught:
        copy_in(disk, parse_address(f"{path}:/small"), str(new))
    assert "raw one" in caught.value.hint


def test_a_journal_with_changes_is_refused(image, new):
    with DiskImage(str(image)) as disk:
        at = disk.volume("root").partition.offset + 1024 + 0x60
    with image.open("r+b") as stream:
        stream.seek(at)
        flags = struct.unpack("<I", stream.read(4))[0]
        stream.seek(at)
        stream.write(struct.pack("<I", flags | 4))
    with DiskImage(str(image)) as disk, pytest.raises(DiskError, match="was not unmounted"):
        copy_in(disk, parse_address(f"{image}:/small"), str(new))
