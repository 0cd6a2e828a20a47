# SPDX-License-Identifier: Apache-2.0
"""A kernel for PCs that says its command line on the serial port, and ends the emulator."""

from __future__ import annotations

import struct

EXIT_DEVICE = ("-device", "isa-debug-exit,iobase=0xf4,iosize=4")
EXIT_STATUS = 21
_SECTOR = 512
# With boot_params in esi: write what its command line pointer leads to to port 0x3f8, then a
# newline; then write 10 to port 0xf4, and halt.
_CODE = bytes.fromhex(
    "8b9e28020000"  # mov ebx, [esi + 0x228]
    "66baf803"  # mov dx, 0x3f8
    "8a03 84c0 7404"  # loop: mov al, [ebx]; test al, al; jz end
    "ee 43 ebf6"  # out dx, al; inc ebx; jmp loop
    "b00a ee e6f4"  # end: mov al, 10; out dx, al; out 0xf4, al
    "fa f4 ebfd"  # halt: cli; hlt; jmp halt
)


def tiny_kernel() -> bytes:
    """Give a bzImage."""
    setup = bytearray(2 * _SECTOR)

    def put(at: int, form: str, value: int) -> None:
        struct.pack_into(form, setup, at, value)

    put(0x1F1, "<B", 1)  # setup_sects
    put(0x1F4, "<I", -(-len(_CODE) // 16))  # syssize
    put(0x1FE, "<H", 0xAA55)
    setup[0x200:0x202] = b"\xeb\x66"
    setup[0x202:0x206] = b"HdrS"
    put(0x206, "<H", 0x020A)  # version
    put(0x211, "<B", 1)  # loaded high
    put(0x214, "<I", 0x100000)  # code32_start
    put(0x22C, "<I", 0x0FFFFFFF)  # initrd_addr_max
    put(0x230, "<I", 0x200000)  # kernel_alignment
    put(0x238, "<I", 2047)  # cmdline_size
    put(0x258, "<Q", 0x100000)  # pref_address
    put(0x260, "<I", 0x10000)  # init_size
    return bytes(setup) + _CODE.ljust(4096, b"\0")


# With the device tree in x0: write all of it to QEMU's PL011 at 0x09000000, then switch off by PSCI.
_ARM64_CODE = struct.pack(
    "<16I",
    0xAA0003F3,  # mov x19, x0
    0xD2A12014,  # mov x20, #0x9000000
    0xB9400675,  # ldr w21, [x19, #4]       totalsize
    0x5AC00AB5,  # rev w21, w21
    0x340000F5,  # loop: cbz w21, end
    0x38401676,  # ldrb w22, [x19], #1
    0xB9401A97,  # wait: ldr w23, [x20, #0x18]
    0x372FFFF7,  # tbnz w23, #5, wait       full
    0xB9000296,  # str w22, [x20]
    0x510006B5,  # sub w21, w21, #1
    0x17FFFFFA,  # b loop
    0xD2800100,  # end: mov x0, #8
    0xF2B08000,  # movk x0, #0x8400, lsl #16
    0xD4000002,  # hvc #0
    0x14000000,  # b .
    0xD503201F,  # nop
)
_ARM64_HEADER_BYTES = 64


def tiny_arm64_kernel() -> bytes:
    """Give an Image for QEMU's virt machine that says its device tree, as bytes, on the console."""
    branch = 0x14000000 | _ARM64_HEADER_BYTES // 4
    # code, offset, size, flags (4 KiB pages, anywhere), three that are empty, magic, none.
    header = struct.pack("<2I6Q4sI", branch, 0, 0, 1 << 16, 0xA, 0, 0, 0, b"ARM\x64", 0)
    return (header + _ARM64_CODE).ljust(4096, b"\0")
