# SPDX-License-Identifier: Apache-2.0
"""File systems made by those whose business it is."""

from __future__ import annotations

import os
import subprocess

import pytest

from ostrya.image.filesystem import find_program
from ostrya.image.reading.sources import FileSource
from support.image_world import missing

MIB = 1 << 20


@pytest.fixture
def open_source():
    """Open a file to read from, and close it in the end."""
    opened = []

    def open_it(path):
        opened.append(FileSource(os.open(path, os.O_RDONLY)))
        return opened[-1]

    yield open_it
    for source in opened:
        source.close()


@pytest.fixture
def make_ext4(tmp_path):
    """Make an ext4 of a directory, as some options have it, and let debugfs change it."""
    if reason := missing("mke2fs", "debugfs"):
        pytest.skip(reason)

    def make(tree, *options, mib=16, commands=()):
        path = tmp_path / "file-system"
        argv = [
            find_program("mke2fs"),
            "-q",
            "-F",
            "-t",
            "ext4",
            *options,
            "-d",
            tree,
            path,
            f"{mib}M",
        ]
        subprocess.run(argv, check=True, capture_output=True)
        for command in commands:
            argv = [find_program("debugfs"), "-w", "-R", command, path]
            subprocess.run(argv, check=True, capture_output=True)
        return path

    return make


@pytest.fixture
def tree(tmp_path):
    """Files of all kinds and sizes."""
    top = tmp_path / "files"
    (top / "dir/sub").mkdir(parents=True)
    (top / "many").mkdir()
    (top / "empty").write_bytes(b"")
    (top / "small").write_bytes(b"small\n")
    (top / "large").write_bytes(os.urandom(3 * MIB + 5))
    with (top / "sparse").open("wb") as stream:
        for at in range(5):
            stream.seek(at * 100_000)
            stream.write(b"piece")
        stream.truncate(2 * MIB + 1)
    for number in range(400):
        (top / f"many/a rather long name of a file {number:05}").write_text(str(number))
    (top / "dir/sub/file").write_text("deep\n")
    (top / "dir/up").symlink_to("../small")
    (top / "root").symlink_to("/dir/sub")
    (top / "out").symlink_to("../../../../small")
    (top / "loop").symlink_to("loop")
    (top / ("long" * 20)).symlink_to("x" * 200)
    return top
