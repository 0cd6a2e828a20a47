# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import tarfile

import pytest

from ostrya.image.errors import OutputError
from ostrya.image.filesystem import Inode
from ostrya.image.outputs.sinks import NewFile
from ostrya.image.outputs.sysroot_tar import put_file, write_sysroot_tar

CAPABILITY = b"\1\0\0\2\0\4\0\0" + bytes(12)


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "tree"
    (top / "repo").mkdir(parents=True)
    (top / "deploy").mkdir()
    (top / "repo/object").write_bytes(b"content")
    os.link(top / "repo/object", top / "deploy/file")
    (top / "deploy/link").symlink_to("file")
    (top / "deploy" / ("long" * 40)).write_bytes(b"x" * 1000)
    for path in (top / "repo/object", top / "deploy" / ("long" * 40)):
        os.utime(path, (0, 0))
    return top


def write(tree, inodes, path):
    with NewFile(str(path)) as file:
        write_sysroot_tar(str(tree), inodes, file)
        file.finish()
        file.appear()
    return path


INODES = {
    "": Inode(0, 0, 0o755),
    "deploy": Inode(0, 0, 0o1777),
    # Said of the second name only.
    "repo/object": Inode(7, 8, 0o4755, ((b"security.capability", CAPABILITY),)),
    "deploy/link": Inode(9, 9),
    "gone": Inode(1, 1),
}


def test_files_are_what_they_are_to_be(tree, tmp_path):
    with tarfile.open(write(tree, INODES, tmp_path / "tar")) as tar:
        found = {one.name: one for one in tar.getmembers()}
    assert list(found) == [
        ".", "./deploy", "./deploy/file", "./deploy/link", f"./deploy/{'long' * 40}",
        "./repo", "./repo/object",
    ]  # fmt: skip
    first, second = found["./deploy/file"], found["./repo/object"]
    assert (first.uid, first.gid, first.mode, first.size, first.mtime) == (7, 8, 0o4755, 7, 0)
    assert first.pax_headers["SCHILY.xattr.security.capability"].encode() == CAPABILITY
    assert second.islnk()
    assert second.linkname == "./deploy/file"
    assert found["./deploy"].mode == 0o1777
    assert (found["./deploy/link"].linkname, found["./deploy/link"].uid) == ("file", 9)
    assert found["./repo"].uid == 0


def test_tar_unpacks_hard_links(tree, tmp_path):
    path = write(tree, INODES, tmp_path / "tar")
    (tmp_path / "out").mkdir()
    # Whoever runs the test may not be able to give files away.
    subprocess.run(["tar", "-C", tmp_path / "out", "--no-same-owner", "-xf", path], check=True)
    one, other = tmp_path / "out/deploy/file", tmp_path / "out/repo/object"
    assert one.stat().st_ino == other.stat().st_ino
    assert (tmp_path / "out/deploy" / ("long" * 40)).read_bytes() == b"x" * 1000


def test_the_order_on_the_disk_does_not_matter(tree, tmp_path):
    first = write(tree, INODES, tmp_path / "one").read_bytes()
    (tree / "repo/object").rename(tree / "repo/other")
    (tree / "repo/other").rename(tree / "repo/object")
    for path in (tree / "repo", tree / "deploy", tree):
        stat = path.stat()
        os.utime(path, (stat.st_atime, stat.st_mtime // 1))
    times = {name: os.stat(tree / name).st_mtime for name in ("repo", "deploy", ".")}
    second = write(tree, INODES, tmp_path / "two")
    with tarfile.open(second) as tar:
        assert tar.getmember("./repo").mtime == int(times["repo"])
    assert len(second.read_bytes()) == len(first)


def test_what_is_no_file_is_refused(tree, tmp_path):
    os.mkfifo(tree / "pipe")
    with pytest.raises(OutputError, match="pipe is no file"):
        write(tree, {}, tmp_path / "tar")


def test_a_file_that_shrinks_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"1234")
    with NewFile(str(tmp_path / "tar")) as file, pytest.raises(OutputError, match="shorter"):
        put_file(str(tmp_path / "file"), 5, file)
