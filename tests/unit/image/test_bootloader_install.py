# SPDX-License-Identifier: Apache-2.0
import os
import struct

import pytest

from ostrya.boot.trial_store import GrubFile, UBootFiles
from ostrya.boot.uboot_image import decode_script
from ostrya.image.board import load_board
from ostrya.image.bootloader_install import boot_code, boot_files, place_boot_image, place_core
from ostrya.image.errors import BoardError, LayoutError
from support.image_world import missing

REASON = missing("grub-mkimage")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")


def by_path(board, scratch):
    return {file.path: file.data for file in boot_files(load_board(board), str(scratch))}


def write_all(folder, files):
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


@pytest.mark.parametrize("name", ["qemu-arm64", "qemu-x86_64-uboot"])
def test_u_boot_finds_a_script_and_an_empty_record(tmp_path, name):
    files = by_path(name, tmp_path)
    assert list(files) == ["boot.scr", "ostrya0.env", "ostrya1.env"]
    assert "ostrya_root" in decode_script(files["boot.scr"])
    write_all(tmp_path, files)
    fd = os.open(tmp_path, os.O_RDONLY)
    stored = UBootFiles(fd).read()
    os.close(fd)
    assert (stored.record.identity, stored.damage) == ("", ())


def test_grub_finds_its_stub_and_an_empty_record(tmp_path):
    files = by_path("qemu-x86_64", tmp_path)
    assert list(files) == ["EFI/BOOT/grub.cfg", "ostrya/grubenv", "EFI/BOOT/BOOTX64.EFI"]
    stub = files["EFI/BOOT/grub.cfg"].decode()
    assert "search --no-floppy --set=root --label otaroot" in stub
    assert "serial --unit=0" in stub
    assert files["EFI/BOOT/BOOTX64.EFI"][:2] == b"MZ"
    (tmp_path / "fat").mkdir()
    write_all(tmp_path / "fat", files)
    fd = os.open(tmp_path / "fat", os.O_RDONLY)
    stored = GrubFile(fd).read()
    os.close(fd)
    assert (stored.record.identity, stored.damage) == ("", ())


def test_systemd_boot_is_where_firmware_looks(tmp_path):
    files = by_path("qemu-x86_64-systemd-boot", tmp_path)
    assert list(files) == ["EFI/BOOT/BOOTX64.EFI"]
    assert b"systemd-boot" in files["EFI/BOOT/BOOTX64.EFI"]


def test_a_program_that_is_not_here_is_named(tmp_path):
    board = load_board("qemu-x86_64-systemd-boot")._replace(efi_source="/nowhere/x.efi")
    with pytest.raises(BoardError, match=r"/nowhere/x\.efi is not on this machine"):
        boot_files(board, str(tmp_path))


def test_firmware_of_the_old_kind_is_led_to_the_core(tmp_path):
    code = boot_code(load_board("qemu-x86_64"), 2048, 2, str(tmp_path))
    assert code is not None
    assert len(code.first) == 440
    assert struct.unpack_from("<Q", code.first, 0x5C) == (2048,)
    assert code.first[0x64] == 0xFF
    assert code.first[0x66:0x68] == b"\x90\x90"
    first, count, segment = struct.unpack_from("<QHH", code.core, 0x1F4)
    assert (first, segment) == (2049, 0x820)
    assert (count + 1) * 512 >= len(code.core) > count * 512


def test_others_have_no_code_there(tmp_path):
    for name in ("qemu-arm64", "qemu-x86_64-systemd-boot"):
        assert boot_code(load_board(name), 2048, 1, str(tmp_path)) is None


def test_files_that_are_none_of_grubs_are_refused():
    with pytest.raises(BoardError, match="100 bytes, not 512"):
        place_boot_image(bytes(100), 1)
    with pytest.raises(LayoutError, match="too large"):
        place_core(bytes(1 << 26), 1)
