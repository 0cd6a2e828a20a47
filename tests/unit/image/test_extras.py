# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
from uuid import UUID

import pytest

from ostrya.image.board import load_board
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.image.errors import LayoutError, SourceError
from ostrya.image.extras import DataPartition, DiskExtras, Place, data_content, extra_boot_files
from ostrya.image.fat import FatFile
from ostrya.image.filesystem import find_program
from support.image_world import carve, look, missing, read_back

REASON = missing("mke2fs", "debugfs", "e2fsck", "fsck.vfat", "mtype", "sgdisk")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
MIB = 1 << 20
PLACE = Place(8 * MIB, 2048, UUID(int=5), 1700000000)


@pytest.fixture
def contents(tmp_path):
    top = tmp_path / "contents"
    (top / "sub").mkdir(parents=True)
    (top / "sub/file").write_text("inside\n")
    (top / "sub/file").chmod(0o600)
    (top / "run").write_text("#!/bin/sh\n")
    (top / "run").chmod(0o711)
    return str(top)


@pytest.mark.parametrize("board", ["qemu-arm64", "qemu-x86_64"])
def test_partitions_have_numbers_behind_the_boards_and_the_root_grows(
    repo, releases, tmp_path, contents, board
):
    if missing("grub-mkimage"):
        pytest.skip("grub-mkimage: not installed")
    blob = tmp_path / "blob"
    blob.write_bytes(b"raw data")
    partitions = (
        DataPartition("data", 16 * MIB, label="data", contents=contents),
        DataPartition("files", 40 * MIB, "vfat", "FILES", contents),
        DataPartition("raw", MIB, "none", contents=str(blob), type=UUID(int=7)),
        DataPartition("late", MIB * 8, label="late", after_root=True),
    )
    size = 400 * MIB
    disk = build_disk(
        repo,
        [releases[0].checksum],
        load_board(board),
        str(tmp_path / "disk"),
        DiskOptions("os/stable", 1700000000, size_bytes=size),
        extras=DiskExtras(partitions),
    )
    checked = subprocess.run(
        [find_program("sgdisk"), "-v", disk.path], capture_output=True, text=True, check=True
    )
    assert "No problems found" in checked.stdout
    by_name = {one.name: (at, one) for at, one in enumerate(disk.plan.partitions)}
    names = [one.name for one in disk.plan.partitions]
    assert names[-5:] == ["root", "data", "files", "raw", "late"]
    first = {name: one.first for name, (_, one) in by_name.items()}
    assert first["boot"] < first["data"] < first["files"] < first["raw"] < first["root"]
    assert max(first.values()) == first["late"]
    assert by_name["raw"][1].type == UUID(int=7)

    def part(name):
        at = by_name[name][0]
        return carve(
            tmp_path / "disk", tmp_path / f"part-{name}", disk.plan.offset(at), disk.plan.size(at)
        )

    for name in ("root", "data", "late"):
        subprocess.run([find_program("e2fsck"), "-fn", part(name)], capture_output=True, check=True)
    assert read_back(part("data"), "/sub/file") == "inside\n"
    assert look(part("data"), "/sub/file")[:3] == (0o644, 0, 0)
    assert look(part("data"), "/run").mode == 0o755
    subprocess.run([find_program("fsck.vfat"), "-n", part("files")], check=True)
    typed = subprocess.run(
        ["mtype", "-i", part("files"), "::sub/file"], capture_output=True, check=True
    )
    assert typed.stdout == b"inside\n"
    assert part("raw").read_bytes().startswith(b"raw data\0")


def test_without_more_partitions_disks_are_as_they_were(repo, releases, tmp_path):
    disks = []
    for name, extras in (("a", {}), ("b", {"extras": DiskExtras()})):
        options = DiskOptions("os/stable", 1700000000)
        commits = [releases[0].checksum]
        build_disk(repo, commits, load_board("qemu-arm64"), str(tmp_path / name), options, **extras)
        disks.append((tmp_path / name).read_bytes())
    assert disks[0] == disks[1]


@pytest.mark.parametrize("filesystem", ["none", "ext4", "vfat"])
def test_what_does_not_fit(tmp_path, filesystem):
    contents = tmp_path / "contents"
    blob = contents if filesystem == "none" else contents / "blob"
    blob.parent.mkdir(exist_ok=True)
    blob.write_bytes(os.urandom(MIB) * 9)
    (tmp_path / "scratch").mkdir()
    partition = DataPartition("data", MIB * 8, filesystem, "data", str(contents))
    with pytest.raises(LayoutError, match=r"^partition data: .* not fit") as caught:
        data_content(partition, PLACE, str(tmp_path / "scratch"))
    assert caught.value.hint == "make the partition greater"


def test_files_for_the_fat(contents, tmp_path):
    extras = DiskExtras(boot_files=(("more", contents), ("a.txt", f"{contents}/run")))
    found = extra_boot_files(extras, [])
    assert [file.path for file in found] == ["more/run", "more/sub/file", "a.txt"]
    with pytest.raises(SourceError, match=r"has a file a\.txt already"):
        extra_boot_files(extras, [FatFile("A.TXT", b"")])
