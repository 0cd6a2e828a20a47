# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.elf import decode_elf
from support.elf_files import ARM, PPC64, X86_64, make_elf


@pytest.mark.parametrize(
    ("machine", "bits", "order"),
    [(X86_64, 64, "<"), (ARM, 32, "<"), (PPC64, 64, ">"), (8, 32, ">")],
)
def test_what_a_program_needs(machine, bits, order):
    data = make_elf(
        needed=("libc.so.6", "libz.so.1"), interpreter="/lib/ld.so", run_path="$ORIGIN/../lib:/opt",
        machine=machine, bits=bits, order=order,
    )  # fmt: skip
    program = decode_elf(data)
    assert program.kind == (machine, bits, order == ">")
    assert program.interpreter == "/lib/ld.so"
    assert program.needed == ("libc.so.6", "libz.so.1")
    assert program.run_path == ("$ORIGIN/../lib", "/opt")


def test_a_static_program_needs_nothing():
    assert decode_elf(make_elf())[1:] == ("", (), ())


def test_a_real_program():
    program = decode_elf(Path(sys.executable).resolve().read_bytes())
    assert program.kind.bits in (32, 64)
    assert any(name.startswith(("libc.", "libpython")) for name in program.needed)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an ELF file"),
        (b"#!/bin/sh\n" + bytes(100), "not an ELF file"),
        (b"\x7fELF\x03\x01" + bytes(100), "not an ELF file"),
        (make_elf(needed=("a",))[:70], "ends too early"),
        (make_elf(interpreter="/lib/ld.so")[:-1], "has no end"),
    ],
    ids=["empty", "script", "class", "short", "no NUL"],
)
def test_what_is_damaged(data, reason):
    with pytest.raises(InitramfsError, match=reason):
        decode_elf(data)


def test_strings_that_are_nowhere():
    data = bytearray(make_elf(needed=("a",)))
    at = data.rindex((5).to_bytes(8, "little"))
    data[at + 8 : at + 16] = (1 << 40).to_bytes(8, "little")
    with pytest.raises(InitramfsError, match="nowhere"):
        decode_elf(bytes(data))
