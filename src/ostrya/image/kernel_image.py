# SPDX-License-Identifier: Apache-2.0
r"""What kind of kernel a file is, by its first bytes. Pure.

::

    Image       0x38 "ARM\x64" or "RSC\x05"           what booti starts
    zImage      0x24 18 28 6f 01                       what bootz starts, 32-bit ARM
    bzImage     0x202 "HdrS"                           x86: GRUB, systemd-boot, zboot
    uImage      0    27 05 19 56                       what bootm starts
    fitImage    0    d0 0d fe ed                       bootm too: kernel, device trees, ramdisk
    vmlinuz.efi 0    "MZ", 4 "zimg"                    unpacks itself where there is UEFI
    gzip        0    1f 8b                             Image.gz

Source: the kernel's Documentation: arch/arm64/booting.rst, arch/riscv/boot-image-header.rst,
arch/x86/boot.rst; arch/arm/boot/compressed/head.S; drivers/firmware/efi/libstub/zboot-header.S.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_BYTES = 0x400
KINDS = ("Image", "zImage", "bzImage", "uImage", "fitImage", "vmlinuz.efi", "gzip")
# As `uname -m` has it, of the header of a uImage.
_UIMAGE_MACHINES = {2: "armv7l", 3: "i686", 22: "aarch64", 24: "x86_64", 26: "riscv64"}
_UIMAGE_MACHINE_AT = 29
_X86_FLAGS_AT, _X86_64_BIT = 0x236, 0x01
# The machine in the header of a program for UEFI.
_PE_AT = 0x3C
_PE_MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64", 0x01C2: "armv7l", 0x5064: "riscv64"}


class KernelImage(NamedTuple):
    """What a file is.

    Attributes:
        kind: One of `KINDS`; empty for what is none of them.
        machine: What it runs on, as ``uname -m`` has it; empty where that is not to be seen.
    """

    kind: str
    machine: str = ""


def identify(head: bytes) -> KernelImage:
    """Say what a kernel is.

    Args:
        head: The file's first `HEAD_BYTES`, or all of it.
    """
    for at, magic, kind, machine in _MAGICS:
        if head[at : at + len(magic)] == magic:
            return KernelImage(kind, machine(head) if callable(machine) else machine)
    return KernelImage("")


def _x86_machine(head: bytes) -> str:
    is_64 = len(head) > _X86_FLAGS_AT and head[_X86_FLAGS_AT] & _X86_64_BIT
    return "x86_64" if is_64 else "i686"


def _uimage_machine(head: bytes) -> str:
    return _UIMAGE_MACHINES.get(head[_UIMAGE_MACHINE_AT], "") if len(head) >= 64 else ""


def _pe_machine(head: bytes) -> str:
    if len(head) < _PE_AT + 4:
        return ""
    (at,) = struct.unpack_from("<I", head, _PE_AT)
    if head[at : at + 4] != b"PE\0\0" or len(head) < at + 6:
        return ""
    (machine,) = struct.unpack_from("<H", head, at + 4)
    return _PE_MACHINES.get(machine, "")


# Where, what, and what it means. Those first that are programs for UEFI as well.
_MAGICS: tuple[tuple[int, bytes, str, str | Callable[[bytes], str]], ...] = (
    (0x38, b"ARM\x64", "Image", "aarch64"),
    (0x38, b"RSC\x05", "Image", "riscv64"),
    (0x202, b"HdrS", "bzImage", _x86_machine),
    (0x24, b"\x18\x28\x6f\x01", "zImage", "armv7l"),
    (4, b"zimg", "vmlinuz.efi", _pe_machine),
    (0, b"\x27\x05\x19\x56", "uImage", _uimage_machine),
    (0, b"\xd0\x0d\xfe\xed", "fitImage", ""),
    (0, b"\x1f\x8b", "gzip", ""),
)
