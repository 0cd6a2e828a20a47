# SPDX-License-Identifier: Apache-2.0
"""ELF files, as far as a ramdisk's builder reads them."""

from __future__ import annotations

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.elf import decode_elf


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what is found is in the file."""
    try:
        program = decode_elf(data)
    except InitramfsError as exc:
        return exc
    for name in program.needed:
        assert name.encode("utf-8", "surrogateescape") in data
    return program
