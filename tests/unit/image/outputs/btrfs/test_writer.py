# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from ostrya.image.errors import LayoutError, OutputError
from ostrya.image.outputs.btrfs import writer
from ostrya.image.outputs.btrfs.scan import Piece
from ostrya.image.outputs.btrfs.writer import BtrfsOptions, write_btrfs
from ostrya.image.outputs.sinks import NewFile

MIB = 1 << 20
OPTIONS = BtrfsOptions(0, "otaroot", *(uuid5(UUID(int=5), word) for word in "abcd"), 1700000000)


def make(tree, inodes, path, options=OPTIONS):
    with NewFile(str(path)) as file:
        write_btrfs(str(tree), inodes, file, options)
        file.finish()
        file.appear()
    return path


def check(path):
    if shutil.which("btrfs") is None:
        pytest.skip("btrfs-progs are not installed")
    argv = ["btrfs", "check", "--check-data-csum", path]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no error found" in done.stdout


def test_btrfs_is_content_with_it_and_gives_back_what_is_in_it(tree, inodes, tmp_path):
    path = make(tree, inodes, tmp_path / "fs")
    check(path)
    (tmp_path / "out").mkdir()
    subprocess.run(
        ["btrfs", "restore", "-m", "-S", "-i", path, tmp_path / "out"],
        check=True,
        capture_output=True,
    )
    subprocess.run(["diff", "-r", "--no-dereference", tree, tmp_path / "out"], check=True)
    if os.geteuid() == 0:
        found = (tmp_path / "out/repo/object").stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (7, 8, 0o4755)


def test_attributes_links_and_flags_are_in_its_trees(tree, inodes, tmp_path):
    path = make(tree, inodes, tmp_path / "fs")
    check(path)
    argv = ["btrfs", "inspect-internal", "dump-tree", "-t", "5", path]
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "name: security.x\n" in text
    assert "IMMUTABLE" in text
    assert "name: file again" in text


def test_content_around_the_second_superblock_and_a_label(tree, inodes, tmp_path):
    with (tree / "large").open("wb") as stream:
        stream.truncate(140 * MIB)
        for at in range(0, 140 * MIB, MIB):
            stream.seek(at)
            stream.write(b"%d" % at)
    path = make(tree, inodes, tmp_path / "fs", OPTIONS._replace(size_bytes=300 * MIB))
    check(path)
    assert path.stat().st_size == 300 * MIB
    data = path.read_bytes()
    assert data[64 * MIB + 64 : 64 * MIB + 72] == b"_BHRfS_M"
    argv = ["btrfs", "inspect-internal", "dump-super", "-a", path]
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert text.count("[match]") >= 2
    assert "otaroot" in text


def test_the_same_directory_gives_the_same_bytes(tree, inodes, tmp_path):
    first = make(tree, inodes, tmp_path / "one").read_bytes()
    assert make(tree, inodes, tmp_path / "two").read_bytes() == first


def test_an_empty_directory_is_fine(tmp_path):
    (tmp_path / "none").mkdir()
    check(make(tmp_path / "none", {}, tmp_path / "fs"))


def test_a_label_that_is_too_long(tree, tmp_path):
    with pytest.raises(LayoutError, match="too long for the label"):
        make(tree, {}, tmp_path / "fs", OPTIONS._replace(label="x" * 300))


def test_a_file_that_shrinks_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 4096)
    with pytest.raises(OutputError, match="shorter"):
        list(writer._read(Piece(str(tmp_path / "file"), 0, 0, 8192, 257)))


def test_checksums_are_kept_in_runs():
    pieces = [
        Piece("", 0, 0, 100 * 4096, 1),
        Piece("", 0, 100 * 4096, 200 * 4096, 2),
        Piece("", 0, 1 << 30, 4096, 3),
    ]
    assert writer._sum_runs(pieces) == [(0, 240), (240 * 4096, 60), (1 << 30, 1)]


@pytest.mark.loop
@pytest.mark.root
def test_linux_mounts_it_and_writes_to_it(tree, inodes, tmp_path):
    path = make(tree, inodes, tmp_path / "fs", OPTIONS._replace(size_bytes=200 * MIB))
    (tmp_path / "at").mkdir()
    script = (
        f"mount -o loop -t btrfs {path} {tmp_path}/at && cd {tmp_path}/at && "
        f"diff -r --no-dereference {tree} . && rm -r deploy/many/* && "
        "dd if=/dev/urandom of=new bs=64k count=40 && sync && getfattr -n user.y repo/object"
    )
    if "btrfs" not in Path("/proc/filesystems").read_text():
        pytest.skip("this kernel has no btrfs")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    check(path)
