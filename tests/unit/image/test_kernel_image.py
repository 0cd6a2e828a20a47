# SPDX-License-Identifier: Apache-2.0
import glob

import pytest

from ostrya.image.kernel_image import HEAD_BYTES, KINDS, KernelImage, identify


def head(at, magic, *more):
    data = bytearray(HEAD_BYTES)
    for where, what in ((at, magic), *more):
        data[where : where + len(what)] = what
    return bytes(data)


PE = (0x3C, b"\x80\0\0\0"), (0x80, b"PE\0\0\x64\xaa")


@pytest.mark.parametrize(
    ("data", "kind", "machine"),
    [
        (head(0x38, b"ARM\x64", (0, b"MZ"), *PE), "Image", "aarch64"),
        (head(0x38, b"RSC\x05"), "Image", "riscv64"),
        (head(0x24, b"\x18\x28\x6f\x01"), "zImage", "armv7l"),
        (head(0x202, b"HdrS", (0x236, b"\x01")), "bzImage", "x86_64"),
        (head(0x202, b"HdrS"), "bzImage", "i686"),
        (head(0, b"\x27\x05\x19\x56", (29, b"\x02")), "uImage", "armv7l"),
        (head(0, b"\xd0\x0d\xfe\xed"), "fitImage", ""),
        (head(0, b"MZ\0\0zimg", *PE), "vmlinuz.efi", "aarch64"),
        (head(0, b"MZ\0\0zimg", (0x3C, b"\xff\xff\xff\xff")), "vmlinuz.efi", ""),
        (head(0, b"\x1f\x8b\x08"), "gzip", ""),
        (b"MZ\0\0zimg", "vmlinuz.efi", ""),
        (b"\x27\x05\x19\x56", "uImage", ""),
        (b"a kernel", "", ""),
        (b"", "", ""),
    ],
)
def test_kinds(data, kind, machine):
    assert identify(data) == KernelImage(kind, machine)
    assert kind in (*KINDS, "")


def test_the_kernel_of_this_machine():
    for path in glob.glob("/boot/vmlinuz-*"):
        with open(path, "rb") as stream:
            assert identify(stream.read(HEAD_BYTES)).machine
