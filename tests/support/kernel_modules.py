# SPDX-License-Identifier: Apache-2.0
"""Small kernel modules: ELF files with nothing but a section .modinfo."""

from __future__ import annotations

import struct


def make_module(*items: str, bits: int = 64, order: str = "<") -> bytes:
    """Make one that says ``name=value`` of itself."""
    wide = bits == 64
    header_size, entry_size = (64, 64) if wide else (52, 40)
    modinfo = b"".join(item.encode() + b"\0" for item in items)
    names = b"\0.shstrtab\0.modinfo\0"
    table = header_size + len(modinfo) + len(names)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    form = order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH")
    head = struct.pack(form, 1, 62, 1, 0, 0, table, 0, header_size, 0, 0, entry_size, 3, 1)
    section = order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII")
    sections = [
        (0,) * 10,
        (1, 3, 0, 0, header_size + len(modinfo), len(names), 0, 0, 1, 0),
        (11, 1, 0, 0, header_size, len(modinfo), 0, 0, 1, 0),
    ]
    return ident + head + modinfo + names + b"".join(struct.pack(section, *one) for one in sections)
