# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys
from uuid import UUID

import pytest

from ostrya.image.filesystem import Ext4Options, Inode, find_program, write_ext4
from support.image_world import debugfs, look, missing, read_back

REASON = missing("mke2fs", "debugfs", "e2fsck")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
MIB = 1 << 20


def make(tree, path, size, inodes=None):
    options = Ext4Options(size, "x", UUID(int=3), 1700000000)
    write_ext4(str(tree), str(path), options, inodes or {})
    checked = subprocess.run(
        [find_program("e2fsck"), "-fn", path], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    return path


def test_many_groups_many_names_and_large_files(tmp_path):
    """Over several groups, with directories of many blocks, and files with holes in them."""
    tree = tmp_path / "tree"
    (tree / "many").mkdir(parents=True)
    for number in range(3000):
        (tree / f"many/a name of some length {number}").write_bytes(b"x" * (number % 50))
    with (tree / "large").open("wb") as stream:
        stream.truncate(200 * MIB)
        stream.seek(150 * MIB)
        stream.write(b"end")
    long_target = "t" * 200
    (tree / "long").symlink_to(long_target)
    image = make(tree, tmp_path / "image", 512 * MIB)
    assert read_back(image, "/many/a name of some length 2999") == "x" * 49
    assert look(image, "/many").links == 2
    assert f'Fast link dest: "{long_target}"' not in look(image, "/long").text
    found = tmp_path / "back"
    debugfs(image, f"dump /large {found}")
    assert found.stat().st_size == 200 * MIB
    with found.open("rb") as stream:
        stream.seek(150 * MIB)
        assert stream.read(3) == b"end"
    assert debugfs(image, "ls -l /").count("lost+found") == 1


def test_a_root_with_more_names_than_fit_into_a_block(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "lost+found").mkdir()
    for number in range(400):
        (tree / f"file {number}").write_bytes(b"")
    image = make(tree, tmp_path / "image", 16 * MIB)
    listed = debugfs(image, "ls -p /")
    assert listed.count("/file ") == 400
    assert listed.count("/lost+found/") == 1


@pytest.mark.root
@pytest.mark.loop
@pytest.mark.skipif(not shutil.which("mount"), reason="mount: not installed")
def test_the_kernel_reads_it_and_writes_to_it(tmp_path):
    tree = tmp_path / "tree"
    (tree / "dir").mkdir(parents=True)
    (tree / "dir/file").write_bytes(b"inside" * 1000)
    os.link(tree / "dir/file", tree / "dir/other")
    acl = bytes.fromhex("02000000 01000700ffffffff 02000500e8030000 04000500ffffffff")
    acl += bytes.fromhex("10000700ffffffff 20000000ffffffff")
    inodes = {
        "dir/file": Inode(7, 70000, 0o4711, ((b"security.capability", b"\1\0\0\2" + bytes(16)),)),
        "dir": Inode(1, 1, 0o2750, ((b"system.posix_acl_access", acl), (b"user.x", b"y" * 300))),
    }
    image = make(tree, tmp_path / "image", 64 * MIB, inodes)
    place = tmp_path / "mnt"
    place.mkdir()
    script = f"""
import os, subprocess, sys
from ostrya._linux.mount import enter_own_namespace
enter_own_namespace()
done = subprocess.run(["mount", "-o", "loop", {str(image)!r}, {str(place)!r}], capture_output=True)
if done.returncode:
    print("no mount", done.stderr)
    sys.exit(0)
os.chdir({str(place)!r})
found = os.stat("dir/file")
print(oct(found.st_mode), found.st_uid, found.st_gid, found.st_nlink, found.st_size)
print(os.getxattr("dir", "user.x") == b"y" * 300)
print(os.getxattr("dir", "system.posix_acl_access").hex())
for number in range(2000):
    open(f"dir/new {{number}}", "w").close()
with open("dir/other", "ab") as stream:
    stream.write(b"more")
os.chdir("/")
subprocess.run(["umount", {str(place)!r}], check=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if done.stdout.startswith("no mount"):
        pytest.skip("no loop devices here")
    first, second, third = done.stdout.splitlines()
    assert first == "0o104711 7 70000 2 6000"
    assert second == "True"
    assert third == acl.hex()
    checked = subprocess.run(
        [find_program("e2fsck"), "-fn", image], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
