# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import random
import subprocess

import pytest

from ostrya.image.changing.fat_editor import FatEditor
from ostrya.image.errors import DiskError, LayoutError
from ostrya.image.filesystem import find_program
from ostrya.image.reading.fat import Fat
from ostrya.image.reading.files import View
from ostrya.image.reading.sources import BytesSource
from support.image_world import missing

MIB = 1 << 20
pytestmark = pytest.mark.skipif(bool(missing("mkfs.vfat", "fsck.vfat")), reason="no dosfstools")
AT = 4096


@pytest.fixture(params=[12, 16, 32])
def path(request, tmp_path):
    path = tmp_path / "fat"
    size = {12: 1, 16: 16, 32: 40}[request.param] * MIB
    part = tmp_path / "part"
    part.write_bytes(bytes(size))
    root = [] if request.param == 32 else ["-r", "112"]
    argv = [find_program("mkfs.vfat"), "-F", str(request.param), "-s", "1", *root, part]
    subprocess.run(argv, check=True, capture_output=True)
    path.write_bytes(b"\xa5" * AT + part.read_bytes() + b"\xa5" * AT)
    return path


@pytest.fixture
def edit(path, tmp_path):
    """Change the FAT, let fsck look at it, and return its files."""

    def run(change):
        fd = os.open(path, os.O_RDWR)
        try:
            editor = FatEditor(fd, AT, path.stat().st_size - 2 * AT)
            change(editor)
            editor.end()
        finally:
            os.close(fd)
        data = path.read_bytes()
        assert data[:AT] == data[-AT:] == b"\xa5" * AT
        (tmp_path / "part").write_bytes(data[AT:-AT])
        done = subprocess.run(
            [find_program("fsck.vfat"), "-n", tmp_path / "part"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return contents(Fat(BytesSource(data[AT:-AT])))

    return run


def contents(fat):
    view, found = View(fat), {}

    def walk(place):
        for one in view.entries(place):
            if one.entry.is_dir:
                walk(one)
            else:
                found[one.path[1:]] = b"".join(fat.chunks(one.entry))

    walk(view.find("/"))
    return found


def put(editor, folder, name, data):
    editor.put(folder, name, [data[:700], data[700:]], len(data), 1700000000)


def test_files_are_added_and_replaced(edit):
    rng = random.Random(1)
    large, small = rng.randbytes(200_000), b"x"

    def first(editor):
        put(editor, 0, "a long name.txt", large)
        put(editor, 0, "SHORT.TXT", small)
        put(editor, 0, "empty", b"")

    assert edit(first) == {"a long name.txt": large, "SHORT.TXT": small, "empty": b""}

    def second(editor):
        put(editor, 0, "A LONG NAME.TXT", small)
        put(editor, 0, "short.txt", large)
        put(editor, 0, "empty", small)

    assert edit(second) == {"a long name.txt": small, "SHORT.TXT": large, "empty": small}


def test_directories_grow(edit):
    def change(editor):
        folder = editor.make_dir(0, "folder", 1700000000)
        assert editor.make_dir(0, "FOLDER", 0) == folder
        inner = editor.make_dir(folder, "inner one", 0)
        for number in range(120):
            put(editor, inner, f"file number {number:03}", b"%d" % number)
        assert editor.find_dir("/folder/INNER one") == inner

    found = edit(change)
    assert len(found) == 120
    assert found["folder/inner one/file number 119"] == b"119"


def test_short_names_do_not_collide_with_those_that_are_there(edit):
    for _ in range(2):
        edit(lambda editor: put(editor, 0, "some long name one", b"1"))
        found = edit(lambda editor: put(editor, 0, "some long name two", b"2"))
    assert found == {"some long name one": b"1", "some long name two": b"2"}


def test_what_cannot_be_is_refused_and_leaves_a_sound_fat(edit, path):
    def change(editor):
        folder = editor.make_dir(0, "folder", 0)
        put(editor, 0, "file", b"x")
        for call, error, words in (
            (lambda: put(editor, 0, "folder", b""), DiskError, "is a directory"),
            (lambda: editor.make_dir(0, "file", 0), DiskError, "is a file"),
            (lambda: editor.find_dir("file"), DiskError, "no directory file"),
            (lambda: editor.find_dir("x/y"), DiskError, "no directory x/y"),
            (lambda: put(editor, folder, "a:b", b""), LayoutError, "cannot be a name"),
            (lambda: editor.put(0, "big", [], 1 << 33, 0), DiskError, "more than a FAT can hold"),
            (lambda: editor.put(0, "shrunk", [b"12"], 3, 0), DiskError, "changed while"),
            (lambda: editor.put(0, "grown", [b"1234"], 3, 0), DiskError, "changed while"),
            (lambda: editor.put(0, "huge", [], path.stat().st_size, 0), LayoutError, "no room"),
        ):
            with pytest.raises(error, match=words):
                call()

    assert edit(change) == {"file": b"x"}


def test_a_full_root_directory_takes_nothing(edit):
    def change(editor):
        names = (f"N{number}" for number in range(130))
        if editor._layout.bits == 32:
            # Its root grows.
            assert all(put(editor, 0, name, b"x") is None for name in names)
            return
        with pytest.raises(DiskError, match="no room in the root directory"):
            all(put(editor, 0, name, b"x") is None for name in names)

    assert len(edit(change)) >= 110
