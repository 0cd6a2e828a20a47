# SPDX-License-Identifier: Apache-2.0
import os
import subprocess

import pytest

from ostrya.image.errors import LayoutError
from ostrya.image.ext4.structures import BLOCK_BYTES
from ostrya.image.ext4.volume import Volume
from ostrya.image.filesystem import find_program
from support.image_world import debugfs, missing

REASON = missing("mke2fs", "debugfs", "e2fsck")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
MIB = 1 << 20


@pytest.fixture(params=[16, 300])
def image(request, tmp_path):
    path = tmp_path / "image"
    argv = [
        find_program("mke2fs"), "-q", "-F", "-t", "ext4", "-b", "4096", "-O", "64bit,metadata_csum",
        str(path), f"{request.param}M",
    ]  # fmt: skip
    subprocess.run(argv, check=True, capture_output=True)
    return path


def test_what_is_written_back_unchanged_is_sound(image):
    before = debugfs(image, "show_super_stats -h")
    fd = os.open(image, os.O_RDWR)
    Volume(fd).finish()
    os.close(fd)
    assert debugfs(image, "show_super_stats -h") == before
    checked = subprocess.run(
        [find_program("e2fsck"), "-fn", image], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_what_is_free_is_given_once_and_is_all_that_there_is(image):
    text = debugfs(image, "show_super_stats -h")
    free = next(int(line.split()[-1]) for line in text.splitlines() if "Free blocks:" in line)
    fd = os.open(image, os.O_RDWR)
    try:
        volume = Volume(fd)
        runs = volume.allocate(free)
        places = [run.first + at for run in runs for at in range(run.length)]
        assert len(set(places)) == free
        assert max(places) < os.path.getsize(image) // BLOCK_BYTES
        testb = debugfs(image, f"testb {places[0]} 1") + debugfs(image, f"testb {places[-1]} 1")
        assert testb.count("not in use") == 2
        with pytest.raises(LayoutError, match="the files do not fit into"):
            volume.allocate(1)
        first = volume.new_inode()
        assert first == 12
        while volume.new_inode() < volume._inodes:
            pass
        with pytest.raises(LayoutError, match="the files do not fit into"):
            volume.new_inode()
    finally:
        os.close(fd)
