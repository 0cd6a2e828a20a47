# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import stat
import subprocess
import sys
from uuid import UUID

import pytest

from ostrya.image.errors import LayoutError
from ostrya.image.filesystem import find_program
from ostrya.image.gpt import TYPE_LINUX, GptPartition, encode_gpt
from ostrya.image.grow import find_partition, grow_table, partition_of

MIB = 1 << 20
SMALL_SECTORS = str(64 * 2048 - 4096)


def make_disk(path, size):
    sectors = size // 512
    one = GptPartition(2048, sectors - 4096, TYPE_LINUX, UUID(int=2), "root")
    gpt = encode_gpt([one], disk_guid=UUID(int=9), disk_sectors=sectors)
    with path.open("wb") as stream:
        stream.write(gpt.primary)
        stream.truncate(size)
        stream.seek(size - len(gpt.backup))
        stream.write(gpt.backup)


def may_use_resources():
    with open("/proc/self/status") as stream:
        found = next(line for line in stream if line.startswith("CapEff:"))
    return bool(int(found.split()[1], 16) >> 24 & 1)


def test_a_table_in_a_file_grows(tmp_path):
    path = tmp_path / "disk"
    make_disk(path, 32 * MIB)
    os.truncate(path, 64 * MIB)
    fd = os.open(path, os.O_RDWR)
    try:
        assert grow_table(fd, 64 * MIB, 1).sectors == 62 * 2048
        assert grow_table(fd, 64 * MIB, 1).writes == ()
    finally:
        os.close(fd)


def test_what_the_kernel_says_of_a_partition(tmp_path):
    part = tmp_path / "devices/mmcblk0/mmcblk0p2"
    part.mkdir(parents=True)
    (part / "partition").write_text("2\n")
    (part / "size").write_text("4096\n")
    (tmp_path / "8:2").symlink_to(part)
    (tmp_path / "8:0").symlink_to(part.parent)
    assert partition_of("8:2", sys=str(tmp_path)) == ("/dev/mmcblk0", 2, 4096)
    with pytest.raises(LayoutError, match="8:0 is no partition"):
        partition_of("8:0", sys=str(tmp_path))


def test_what_is_no_file_system_that_grows(tmp_path):
    with pytest.raises(LayoutError, match=f"nothing is mounted at {tmp_path}"):
        find_partition(str(tmp_path))
    with pytest.raises(LayoutError, match="/proc is proc, not ext4"):
        find_partition("/proc")


@pytest.mark.root
@pytest.mark.loop
@pytest.mark.skipif(not shutil.which("addpart"), reason="addpart: not installed")
def test_a_mounted_file_system_grows(tmp_path):
    """In a process with mounts of its own."""
    path = tmp_path / "disk"
    make_disk(path, 64 * MIB)
    argv = [find_program("mke2fs"), "-q", "-t", "ext4", "-E", f"offset={MIB}", path, "15360"]
    subprocess.run([*map(str, argv[:-1]), "61440k"], check=True, capture_output=True)
    os.truncate(path, 256 * MIB)
    attached = subprocess.run(
        ["losetup", "-f", "-P", "--show", path], capture_output=True, text=True, check=False
    )
    if attached.returncode != 0:
        pytest.skip("no loop devices here")
    loop = attached.stdout.strip()
    try:
        # By hand: not every kernel of a test machine reads such tables.
        subprocess.run(["addpart", loop, "1", "2048", SMALL_SECTORS], check=False)
        known = f"/sys/class/block/{os.path.basename(loop)}p1/dev"
        if not os.path.exists(known):
            pytest.skip("no loop devices here that have partitions")
        with open(known) as stream:
            major, minor = map(int, stream.read().split(":"))
        node = tmp_path / "node"
        os.mknod(node, 0o600 | stat.S_IFBLK, os.makedev(major, minor))
        place = tmp_path / "mnt"
        place.mkdir()
        script = (
            "import sys, subprocess\n"
            "from ostrya._linux.mount import enter_own_namespace\n"
            "from ostrya.image.grow import grow_mounted\n"
            "enter_own_namespace()\n"
            f"subprocess.run(['mount', '{node}', '{place}'], check=True)\n"
            f"first = grow_mounted('{place}')\n"
            f"again = grow_mounted('{place}')\n"
            "print(first.before >> 20, first.after >> 20, again.after - again.before)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=False,
        )
        with open(known.removesuffix("dev") + "size") as stream:
            assert int(stream.read()) == (256 - 2) * 2048
        if "PermissionError" in done.stderr and not may_use_resources():
            pytest.skip("without CAP_SYS_RESOURCE no file system is resized")
        assert done.returncode == 0, done.stderr
        before, after, more = map(int, done.stdout.split())
        assert before < 64
        assert 200 < after < 256
        assert more == 0
        fsck = [find_program("e2fsck"), "-fn", str(node)]
        assert subprocess.run(fsck, capture_output=True, check=False).returncode == 0
    finally:
        subprocess.run(["losetup", "-d", loop], check=False)
