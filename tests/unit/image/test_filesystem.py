# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
from uuid import UUID

import pytest

from ostrya.image.errors import LayoutError, SourceError
from ostrya.image.filesystem import Ext4Options, Inode, find_program, measure, write_ext4
from support.image_world import debugfs, look, missing, read_back
from support.trees import write

REASON = missing("mke2fs", "debugfs", "e2fsck")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
MIB = 1 << 20
OPTIONS = Ext4Options(16 * MIB, "otaroot", UUID(int=7), 1700000000)
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")
INODES = {
    "usr/setuid": Inode(5, 6, 0o4755, ((b"security.capability", CAPABILITY), (b"user.x", b"y"))),
    "usr/link": Inode(9, 9),
    "deployment": Inode(0, 0, 0o755, immutable=True),
    "secret": Inode(0, 42, 0o100640),
    "dir": Inode(1000, 1000, 0o40700),
}


def make(top):
    tree = top / "tree"
    write(tree / "usr/setuid", b"program" * 1000, 0o755)
    os.link(tree / "usr/setuid", tree / "usr/another name")
    (tree / "usr/link").symlink_to("setuid")
    write(tree / 'usr/quote" and space', b"odd")
    write(tree / "secret", b"x", 0o600)
    write(tree / "plain", b"plain")
    for name in ("deployment", "dir", "empty"):
        (tree / name).mkdir(mode=0o755)
    for path in (*tree.rglob("*"), tree):
        os.utime(path, (1, 1), follow_symlinks=False)
    return tree


@pytest.fixture
def image(tmp_path):
    tree = make(tmp_path)
    write_ext4(str(tree), str(tmp_path / "image"), OPTIONS, INODES)
    return tmp_path / "image"


def test_e2fsck_is_content(image):
    subprocess.run([find_program("e2fsck"), "-fn", image], check=True, capture_output=True)


def test_owners_modes_and_attributes_are_those_asked_for(image):
    found = look(image, "/usr/setuid")
    assert (found.mode, found.uid, found.gid, found.links) == (0o4755, 5, 6, 2)
    assert "security.capability (20) = 01 00 00 02 00 20" in found.text
    assert 'user.x (1) = "y"' in found.text
    assert look(image, "/usr/another name").uid == 5
    assert look(image, "/usr/link").uid == 9
    assert look(image, "/secret")[:3] == (0o640, 0, 42)
    assert look(image, "/dir")[:3] == (0o700, 1000, 1000)
    assert read_back(image, "/secret") == "x"


def test_all_else_is_roots(image):
    for path in ("/", "/plain", "/empty", '/usr/quote"" and space'):
        assert look(image, path)[1:3] == (0, 0)
    assert read_back(image, '/usr/quote"" and space') == "odd"


def test_only_what_is_to_be_immutable_is(image):
    assert look(image, "/deployment").flags == 0x80010
    assert look(image, "/empty").flags == 0x80000


def test_no_time_is_that_of_the_build(image):
    for path in ("/usr/setuid", "/usr/link", "/empty"):
        text = look(image, path).text
        times = dict(line.split(": ")[:2] for line in text.splitlines() if "time: " in line)
        assert {key.strip(): value.split(":")[0] for key, value in times.items()} == {
            "ctime": "0x6553f100", "atime": "0x6553f100", "mtime": "0x00000001",
            "crtime": "0x6553f100",
        }  # fmt: skip


def test_the_same_comes_out_again(image, tmp_path):
    (tmp_path / "again").mkdir()
    tree = make(tmp_path / "again")
    again = tmp_path / "again/image"
    write_ext4(str(tree), str(again), OPTIONS, INODES)
    assert image.read_bytes() == again.read_bytes()


def test_label_and_uuid(image):
    said = debugfs(image, "show_super_stats -h")
    assert "otaroot" in said
    assert str(UUID(int=7)) in said


def test_what_does_not_fit_is_told(tmp_path):
    tree = make(tmp_path)
    write(tree / "large", os.urandom(20 * MIB))
    with pytest.raises(LayoutError, match="do not fit into 16 MiB"):
        write_ext4(str(tree), str(tmp_path / "image"), OPTIONS, INODES)


def test_what_cannot_be_in_it_is_an_error(tmp_path):
    tree = make(tmp_path)
    bad = {"plain": Inode(xattrs=((b"user.large", bytes(1 << 20)),))}
    with pytest.raises(SourceError, match="/plain: its extended attributes are larger"):
        write_ext4(str(tree), str(tmp_path / "image"), OPTIONS, bad)
    os.mkfifo(tree / "pipe")
    with pytest.raises(SourceError, match="/pipe: it is neither a file nor a link nor a directory"):
        write_ext4(str(tree), str(tmp_path / "image"), OPTIONS, {})


def test_a_file_with_two_names_is_measured_once(tmp_path):
    tree = make(tmp_path)
    before = measure(str(tree))
    os.link(tree / "usr/setuid", tree / "third")
    assert measure(str(tree)) == before
    write(tree / "more", bytes(4097))
    assert measure(str(tree)) == before + 2 * 4096 + 256
