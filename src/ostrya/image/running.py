# SPDX-License-Identifier: Apache-2.0
"""How QEMU starts an image: the command line of its board, as somebody wishes it.

The board says which machine, which firmware and which devices; wishes change its memory, whether
the processor is emulated, and what is seen of it, and add a network with ports that lead into it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ostrya.image.errors import BoardError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.image.board import Board
    from ostrya.image.board_parts import Qemu

_DISK = "{disk}"
_VARS = "{vars}"
# By what a path begins with: Debian's packages.
_PACKAGES = (
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("qemu-system-i386", "qemu-system-x86"),
    ("qemu-system-aarch64", "qemu-system-arm"),
    ("qemu-system-arm", "qemu-system-arm"),
    ("qemu-system-riscv64", "qemu-system-misc"),
    ("/usr/share/OVMF/", "ovmf"),
    ("/usr/share/AAVMF/", "qemu-efi-aarch64"),
    ("/usr/share/qemu-efi-aarch64/", "qemu-efi-aarch64"),
    ("/usr/lib/u-boot/", "u-boot-qemu"),
    ("/usr/lib/riscv64-linux-gnu/opensbi/", "opensbi"),
)
_PORT = re.compile(r"(?:(?P<kind>tcp|udp):)?(?P<host>\d{1,5}):(?P<guest>\d{1,5})")
_SSH = 22
_SHOWN = {"x86_64": ["-device", "VGA"]}
_SHOWN_ELSEWHERE = ["-device", "virtio-gpu-pci"]
_KEYS = ["-device", "qemu-xhci", "-device", "usb-kbd", "-device", "usb-tablet"]


class Wishes(NamedTuple):
    """How somebody wants an image to be started.

    Attributes:
        is_bios: With firmware of the old kind, where the board knows both.
        is_kvm: On the processor of this machine.
        snapshot: Whether what is written is forgotten in the end.
        memory_mib: How much memory; 0 for what the board says.
        display: As QEMU calls it: ``gtk``, ``sdl``, ``curses``, ``none``.
        ports: That lead into it: kind, port here, port there.
        more: Further arguments.
    """

    is_bios: bool = False
    is_kvm: bool = False
    snapshot: bool = False
    memory_mib: int = 0
    display: str = "none"
    ports: tuple[tuple[str, int, int], ...] = ()
    more: tuple[str, ...] = ()


def parse_port(text: str) -> tuple[str, int, int]:
    """Read a port that leads into a machine: ``8080:80``, ``udp:5000:5000``.

    Raises:
        BoardError: It is none.
    """
    match = _PORT.fullmatch(text)
    numbers = [] if match is None else [int(match["host"]), int(match["guest"])]
    if match is None or not all(0 < number < 65536 for number in numbers):
        raise BoardError(f"'{text}' is no port", hint="it is [tcp:|udp:]HERE:THERE, as 8080:80")
    return match["kind"] or "tcp", numbers[0], numbers[1]


def ssh_port(number: int) -> tuple[str, int, int]:
    """Return the port that leads to a machine's SSH."""
    return parse_port(f"{number}:{_SSH}")


def choose_qemu(board: Board, wishes: Wishes) -> Qemu:
    """Return how QEMU starts a board.

    Raises:
        BoardError: It cannot.
    """
    if wishes.is_bios and board.qemu_bios is None:
        raise BoardError(f"the board {board.name} has no firmware of the old kind in QEMU")
    qemu = board.qemu_bios if wishes.is_bios else board.qemu
    if qemu is None:
        raise BoardError(
            f"QEMU has no machine that is like the board {board.name}",
            hint="its images start on the board alone",
        )
    return qemu


def command_line(board: Board, wishes: Wishes, disk: str, form: str, variables: str) -> list[str]:
    """Return what starts an image.

    Args:
        board: What it is for.
        wishes: How it is to be started.
        disk: Path of the image.
        form: ``raw`` or ``qcow2``.
        variables: Path of what firmware may write to.

    Raises:
        BoardError: QEMU cannot start it, or not as it is wished.
    """
    qemu = choose_qemu(board, wishes)
    words = [
        _filled(word, disk, form, variables, snapshot=wishes.snapshot) for word in qemu.arguments
    ]
    if wishes.memory_mib:
        _replace(words, "-m", str(wishes.memory_mib))
    if wishes.is_kvm:
        _replace(words, "-accel", "kvm")
        _replace(words, "-cpu", "host")
    # Ctrl-C belongs to who is inside; Ctrl-A X ends the machine.
    _replace(words, "-serial", "mon:stdio")
    if wishes.display != "none":
        _replace(words, "-display", wishes.display)
        words += _SHOWN.get(board.architecture, _SHOWN_ELSEWHERE) + _KEYS
    words += _network(board, qemu, wishes.ports)
    return [qemu.program, *words, *wishes.more]


def _filled(word: str, disk: str, form: str, variables: str, *, snapshot: bool) -> str:
    # A comma in the name of a file would begin the next property.
    if _DISK in word:
        word = word.replace("format=raw", f"format={form}").replace(_DISK, disk.replace(",", ",,"))
        return f"{word},snapshot=on" if snapshot else word
    return word.replace(_VARS, variables.replace(",", ",,"))


def _replace(words: list[str], option: str, value: str) -> None:
    if option in words:
        words[words.index(option) + 1] = value
    else:
        words += [option, value]


def _network(board: Board, qemu: Qemu, ports: Sequence[tuple[str, int, int]]) -> list[str]:
    is_there = any(word in ("-nic", "-netdev", "-net") for word in qemu.arguments)
    has_pci = any("virtio-blk-pci" in word for word in qemu.arguments)
    if is_there or not has_pci:
        if ports:
            raise BoardError(f"ports cannot be led into the board {board.name}")
        return []
    leads = "".join(f",hostfwd={kind}:127.0.0.1:{here}-:{there}" for kind, here, there in ports)
    # Nobody starts from the network: without its ROM, which is in yet another package.
    device = "virtio-net-pci,netdev=network,romfile="
    return ["-netdev", f"user,id=network{leads}", "-device", device]


def check_there(qemu: Qemu, program: str | None) -> None:
    """Look whether an emulator and its firmware are here.

    Args:
        qemu: How a board is started.
        program: Where its emulator was found; None if it was not.

    Raises:
        BoardError: One is missing; its hint names the Debian package.
    """
    if program is None:
        raise BoardError(f"there is no {qemu.program} here", hint=_hint(qemu.program))
    for path in (*qemu.firmware, *filter(None, [qemu.firmware_vars])):
        if not os.path.exists(path):
            raise BoardError(f"there is no firmware {path} here", hint=_hint(path))


def _hint(what: str) -> str:
    package = next((name for begin, name in _PACKAGES if what.startswith(begin)), "")
    return f"apt-get install {package}" if package else ""
