# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.board import board_names, load_board, parse_board
from ostrya.image.board_check import State, check_board, loader_files
from ostrya.image.firmware import FirmwarePlaces
from unit.image.test_board import TEXT

ROM = """
[rom]
files = ["config.txt", "boot.scr"]
tables = ["mbr"]
active = true
partition_type = 0x0c
[[text]]
file = "config.txt"
lines = ["x"]
"""
GOOD = TEXT.replace('name = "b"', 'name = "b"\ntable = "mbr"\nkernel = "Image"') + ROM


def problems(text, folder):
    found = check_board(parse_board(text, "here"), FirmwarePlaces(str(folder), "", "/"))
    return [f"{one.what}: {one.detail}" for one in found if one.state is State.PROBLEM]


def test_all_is_well(tmp_path):
    assert problems(GOOD, tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('table = "mbr"\n', "", "ROM: it reads mbr, not gpt"),
        ('tables = ["mbr"]', 'tables = ["mbr"]\nfat = ["fat32"]', "ROM: it reads fat32, not fat16"),
        ("size_mib = 16", "size_mib = 16\nesp = true", "which one of EFI is not"),
        ("partition_type = 0x0c", "partition_type = 0x0e", "it wants the type 0x0e, not 0x0c"),
        ('file = "config.txt"', 'file = "config"', "ROM's files: nothing brings config.txt"),
        ('\nkernel = "Image"', "", "kernel: the description does not say"),
        ("[rom]", '[[firmware]]\nsources = ["none"]\nfile = "x"\n[rom]', "firmware: board b needs"),
        ("[rom]", '[[firmware]]\nsources = ["big"]\noffset_kib = 1000\n[rom]', "overlap"),
        ("[rom]", '[[firmware]]\nsources = ["big"]\noffset_kib = 8\n[rom]', ""),
    ],
)
def test_what_is_wrong_is_found(tmp_path, old, new, words):
    (tmp_path / "big").write_bytes(bytes(64 * 1024))
    assert old in GOOD
    found = problems(GOOD.replace(old, new), tmp_path)
    assert words in "\n".join(found)
    assert len(found) == bool(words), found


@pytest.mark.parametrize("name", board_names())
def test_what_boards_of_ours_promise_their_rom_is_there(name, tmp_path):
    """All of it but files of others, which this machine need not have."""
    found = check_board(load_board(name), FirmwarePlaces(str(tmp_path)))
    wrong = {one.what for one in found if one.state is State.PROBLEM}
    assert wrong <= {"firmware", "systemd-boot", "grub-mkimage"} | {
        what for what in wrong if what.startswith("GRUB")
    }


def test_grub_that_is_not_here(tmp_path):
    board = load_board("generic-uefi-arm64")
    folder = tmp_path / "usr/lib/grub/arm64-efi"
    folder.mkdir(parents=True)
    places = FirmwarePlaces(str(tmp_path), "", str(tmp_path))
    found = {one.what: one for one in check_board(board, places)}
    assert f"{folder} has no part_gpt" in found["GRUB arm64-efi"].detail
    for module in board.grub[0].modules:
        (folder / f"{module}.mod").touch()
    found = {one.what: one for one in check_board(board, places)}
    assert found["GRUB arm64-efi"].state is State.OK


def test_what_the_builder_brings():
    assert loader_files(load_board("qemu-arm")) == ["boot.scr", "ostrya0.env", "ostrya1.env"]
    assert loader_files(load_board("qemu-x86_64"))[-1] == "EFI/BOOT/BOOTX64.EFI"
    assert loader_files(load_board("qemu-x86_64-systemd-boot")) == ["EFI/BOOT/BOOTX64.EFI"]
