# SPDX-License-Identifier: Apache-2.0
import subprocess

import pytest

from ostrya.image.errors import LayoutError
from ostrya.image.fat import FatFile, FatOptions, encode_fat
from support.commands import have
from support.trees import seeded_bytes

MIB = 1 << 20
FILES = (
    FatFile("EFI/BOOT/BOOTX64.EFI", seeded_bytes(200_001, 1)),
    FatFile("boot.scr", b"script"),
    FatFile("ostrya0.env", bytes(512)),
    FatFile("empty", b""),
    FatFile("loader/entries/ostree-2+3.conf", b"title x\n"),
    *(
        FatFile(f"many/a file of number {number}.text", seeded_bytes(number * 37, 2))
        for number in range(60)
    ),
)


def write(path, files=FILES, size=16 * MIB, **changes):
    with path.open("wb") as stream:
        stream.truncate(size)
        for at, data in encode_fat(
            files, FatOptions(size, "boot", 0x1234ABCD, 1700000001)._replace(**changes)
        ):
            stream.seek(at)
            stream.write(data)
    return path


def said(*argv):
    return subprocess.run(argv, capture_output=True, check=True).stdout


@pytest.mark.skipif(not have("fsck.vfat"), reason="fsck.vfat is not installed")
@pytest.mark.parametrize("size_mib", [4, 16, 40, 64, 130, 600])
def test_fsck_is_content(tmp_path, size_mib):
    path = write(tmp_path / "fat", size=size_mib * MIB, hidden_sectors=2048)
    report = said("fsck.vfat", "-n", path).decode()
    assert f"{len(FILES) + 6} files" in report
    assert len(report.splitlines()) == 2


@pytest.mark.skipif(not have("mcopy"), reason="mtools are not installed")
@pytest.mark.parametrize("size_mib", [16, 64])
def test_mtools_read_what_was_written(tmp_path, size_mib):
    path = write(tmp_path / "fat", size=size_mib * MIB)
    for file in FILES:
        assert said("mcopy", "-n", "-i", path, f"::{file.path}", "-") == file.data
    listed = said("mdir", "-i", path, "::").decode()
    assert "Volume in drive : is boot" in listed
    assert "Volume Serial Number is 1234-ABCD" in listed
    assert "2023-11-14  22:13" in listed


def test_below_64_mib_it_is_a_fat16():
    pieces = dict(encode_fat(FILES, FatOptions(16 * MIB, "boot", 1)))
    assert pieces[0][54:62] == b"FAT16   "
    assert dict(encode_fat(FILES, FatOptions(64 * MIB, "boot", 1)))[0][82:90] == b"FAT32   "


def test_times_before_1980_are_the_first_there_is(tmp_path):
    early = list(encode_fat(FILES, FatOptions(16 * MIB, "boot", 1, 0)))
    assert early == list(encode_fat(FILES, FatOptions(16 * MIB, "boot", 1, 315532800)))


def test_the_order_of_files_makes_no_difference():
    options = FatOptions(16 * MIB, "boot", 1)
    assert list(encode_fat(FILES, options)) == list(encode_fat(reversed(FILES), options))


def test_the_boot_sector_is_there_twice_on_fat32():
    pieces = dict(encode_fat((), FatOptions(64 * MIB, "boot", 1)))
    assert pieces[6 * 512][:512] == pieces[0]
    assert pieces[6 * 512][512:] == pieces[512]


def test_files_take_their_room_to_the_last_cluster():
    options = FatOptions(16 * MIB, "boot", 1)
    head = min(
        at for at, data in encode_fat([FatFile("f", b"x" * 512)], options) if data[:1] == b"x"
    )
    room = 16 * MIB - head
    list(encode_fat([FatFile("f", bytes(room))], options))
    with pytest.raises(LayoutError, match="do not fit"):
        list(encode_fat([FatFile("f", bytes(room + 1))], options))


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        ((), FatOptions(1 * MIB, "boot", 1), "too few"),
        ((), FatOptions(16 * MIB, "a label too long", 1), "label"),
        ((), FatOptions(16 * MIB, "", 1), "label"),
        (
            [FatFile("a", b""), FatFile("a/b", b"")],
            FatOptions(16 * MIB, "boot", 1),
            "a/b is below a file",
        ),
        (
            [FatFile("a", b""), FatFile("a", b"")],
            FatOptions(16 * MIB, "boot", 1),
            "a is there twice",
        ),
        (
            [FatFile(f"{n:08}", b"") for n in range(512)],
            FatOptions(16 * MIB, "boot", 1),
            "512 entries, not 513",
        ),
    ],
    ids=["small", "label", "none", "below", "twice", "root"],
)
def test_what_cannot_be_written_is_refused(files, options, words):
    with pytest.raises(LayoutError, match=words):
        list(encode_fat(files, options))
