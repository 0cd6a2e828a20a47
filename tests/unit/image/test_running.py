# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.image.board import load_board
from ostrya.image.errors import BoardError
from ostrya.image.running import (
    Wishes,
    check_there,
    choose_qemu,
    command_line,
    parse_port,
    ssh_port,
)

PLAIN = Wishes()
PC = load_board("qemu-x86_64")
ARM = load_board("qemu-arm64")


def line(board, wishes=PLAIN, disk="disk.img", form="raw"):
    return command_line(board, wishes, disk, form, "vars")


def value(argv, option):
    return argv[argv.index(option) + 1]


def test_it_is_the_boards_own_line_on_the_terminal():
    argv = line(PC)
    assert argv[0] == "qemu-system-x86_64"
    assert value(argv, "-accel") == "tcg"
    assert value(argv, "-serial") == "mon:stdio"
    assert "if=none,id=disk,format=raw,file=disk.img" in argv
    assert "if=pflash,format=raw,file=vars" in argv
    assert "user,id=network" in argv


def test_wishes_change_it():
    ports = (parse_port("8080:80"), parse_port("udp:5000:6000"), ssh_port(2222))
    wishes = Wishes(
        is_kvm=True, snapshot=True, memory_mib=1024, display="gtk", ports=ports, more=("-name", "x")
    )
    argv = line(ARM, wishes, "a,b.img", "qcow2")
    assert value(argv, "-m") == "1024"
    assert value(argv, "-accel") == "kvm"
    assert value(argv, "-cpu") == "host"
    assert value(argv, "-display") == "gtk"
    assert "virtio-gpu-pci" in argv
    assert "if=none,id=disk,format=qcow2,file=a,,b.img,snapshot=on" in argv
    assert value(argv, "-netdev") == (
        "user,id=network,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:127.0.0.1:5000-:6000,"
        "hostfwd=tcp:127.0.0.1:2222-:22"
    )
    assert argv[-2:] == ["-name", "x"]


def test_firmware_of_the_old_kind():
    assert "{vars}" not in " ".join(line(PC, Wishes(is_bios=True)))
    with pytest.raises(BoardError, match="no firmware of the old kind"):
        choose_qemu(ARM, Wishes(is_bios=True))


def test_boards_that_qemu_has_not():
    with pytest.raises(BoardError, match="no machine that is like"):
        choose_qemu(load_board("beaglebone-black"), Wishes())


def test_a_board_with_a_network_or_without_a_bus_takes_no_ports():
    qemu = ARM.qemu._replace(arguments=("-nic", "user"))
    board = ARM._replace(qemu=qemu)
    assert "-netdev" not in line(board)
    with pytest.raises(BoardError, match="ports cannot be led"):
        line(board, Wishes(ports=(ssh_port(22),)))


@pytest.mark.parametrize("text", ["", "80", "a:b", "0:80", "80:70000", "sctp:1:2", "1:2:3"])
def test_what_is_no_port(text):
    with pytest.raises(BoardError, match="is no port"):
        parse_port(text)


def test_what_is_missing_is_named_with_its_package():
    with pytest.raises(BoardError, match="no qemu-system-x86_64 here") as caught:
        check_there(PC.qemu, None)
    assert caught.value.hint == "apt-get install qemu-system-x86"
    qemu = PC.qemu._replace(firmware=("/usr/lib/u-boot/none/u-boot.bin",))
    with pytest.raises(BoardError, match="no firmware /usr/lib/u-boot/none") as caught:
        check_there(qemu, "/usr/bin/qemu")
    assert caught.value.hint == "apt-get install u-boot-qemu"
    check_there(qemu._replace(firmware=("/",), firmware_vars=""), "/usr/bin/qemu")
