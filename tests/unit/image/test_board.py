# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.boot.backends.uboot_trial import make_boot_script
from ostrya.boot.uboot_image import Architecture
from ostrya.image.board import board_names, load_board, parse_board
from ostrya.image.errors import BoardError

TEXT = """
name = "b"
title = "a board"
architecture = "aarch64"
loader = "uboot"
kernel_arguments = ["console=ttyAMA0"]
[uboot]
architecture = "arm64"
boot_command = "booti"
kernel_addr = "0x1000"
[[partition]]
role = "boot"
size_mib = 16
[[partition]]
role = "root"
"""


def test_there_are_those_that_the_manual_names():
    assert set(board_names()) >= {
        "qemu-arm64", "qemu-x86_64", "qemu-x86_64-systemd-boot", "qemu-x86_64-uboot",
    }  # fmt: skip


@pytest.mark.parametrize("name", board_names())
def test_every_board_can_be_read(name):
    board = load_board(name)
    assert board.name == name
    assert board.kernel
    if board.script is not None:
        assert f"${{devnum}}:{board.root_number}" in make_boot_script(board.script)
    if board.qemu is None:
        assert board.rom is not None
        return
    argv = board.qemu.argv("/a/disk", "/a/vars")
    assert "if=none,id=disk,format=raw,file=/a/disk" in argv
    assert not [word for word in argv if "{" in word]
    assert ("if=pflash,format=raw,file=/a/vars" in argv) == bool(board.qemu.firmware_vars)
    assert argv[argv.index("-accel") + 1] == "tcg"
    assert argv[argv.index("-m") + 1] == "256"


def test_what_is_not_said_of_a_script_is_what_u_boot_has():
    board = parse_board(TEXT, "here")
    assert board.script is not None
    assert (board.script.kernel_addr, board.script.ramdisk_addr) == ("0x1000", "${ramdisk_addr_r}")
    assert board.script_architecture is Architecture.ARM64
    assert board.script.root_part == board.root_number == 2
    assert board.qemu is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "b"', "", "here:[0-9]+: name is missing"),
        ('name = "b"', "name = 1", "here:[0-9]+: name is no text"),
        ('loader = "uboot"', 'loader = "lilo"', "here:[0-9]+: loader is 'lilo', not one of uboot, grub2"),
        ("size_mib = 16", "size_mib = true", "here:[0-9]+: partition.size_mib is no number"),
        ("size_mib = 16", "size = 16", "here:[0-9]+: nobody knows partition.size"),
        ('role = "root"', 'role = "data"', "here:[0-9]+: partition.role is 'data'"),
        ('role = "root"', 'role = "boot"', "one partition boot, and root as its last one"),
        ("kernel_arguments = [", "kernel_arguments = [1, ", "kernel_arguments is no list of texts"),
        ("[uboot]", "[other]", r"here:[0-9]+: \[uboot\] is missing"),
        ('boot_command = "booti"', 'boot_command = "booti"\nfoo = 1', "here:[0-9]+: nobody knows uboot.foo"),
        ('title = "a board"', "title = ", r"here:3: Invalid value"),
        ("[uboot]", "qemu = 5\n[uboot]", "here:[0-9]+: qemu is no table"),
        ("[[partition]]", "[partition]", "here:[0-9]+: "),
        ('name = "b"', 'name = "b"\nkernel = "vmlinux"', "here:[0-9]+: kernel is 'vmlinux', not one of"),
        ('name = "b"', 'name = "b"\ntable = "apm"', "here:[0-9]+: table is 'apm', not one of gpt, mbr"),
        ('name = "b"', 'name = "b"\nfirst_mib = 0', "here:[0-9]+: first_mib is less than 1"),
        ('role = "boot"', 'role = "bios"', "one partition boot"),
        ("[[partition]]", '[[firmware]]\nfile = "x"\n[[partition]]', "firmware.sources is missing"),
        ("[[partition]]", '[[firmware]]\nsources = ["x"]\n[[partition]]', "either file or offset"),
        (
            "[[partition]]",
            '[[firmware]]\nsources = ["*.x"]\nfile = "x"\n[[partition]]',
            "may be several files",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_named(old, new, words):
    with pytest.raises(BoardError, match=words):
        parse_board(TEXT.replace(old, new, 1), "here")


def test_an_unknown_board_is_told_with_the_known_ones():
    with pytest.raises(BoardError, match="no board 'x'") as caught:
        load_board("x")
    assert "qemu-arm64" in caught.value.hint


def test_a_board_of_somebody_elses(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace('name = "b"', 'name = "b"\ntable = "mbr"'))
    assert load_board(str(path)).table == "mbr"
    path.write_text("name = 1")
    with pytest.raises(BoardError, match=f"{path}:1: "):
        load_board(str(path))
    with pytest.raises(BoardError, match="there is no description"):
        load_board(f"{tmp_path}/other.toml")
    path.write_bytes(b"\xff")
    with pytest.raises(BoardError, match="cannot be read"):
        load_board(str(path))


def test_a_table_of_the_old_kind_has_no_partition_bios():
    text = TEXT.replace('name = "b"', 'name = "b"\ntable = "mbr"')
    with pytest.raises(BoardError, match="a partition bios is one of a GPT"):
        parse_board(
            text.replace("[[partition]]", '[[partition]]\nrole = "bios"\n[[partition]]', 1), "x"
        )


def test_all_mistakes_at_once():
    text = TEXT.replace('name = "b"', 'called = "b"\nfirst_mib = 0\nkernel = "elf"', 1)
    text = text.replace("[[partition]]", '[[firmware]]\nfile = "x"\n[[partition]]', 1)
    with pytest.raises(BoardError) as caught:
        parse_board(text, "here")
    said = caught.value.message.splitlines()
    assert len(said) == 5
    for words in (
        "nobody knows called",
        "name is missing",
        "first_mib",
        "'elf'",
        "firmware.sources",
    ):
        assert any(words in line for line in said), words
