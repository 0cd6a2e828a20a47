# SPDX-License-Identifier: Apache-2.0
"""Small ELF files: headers and what a loader reads, no code."""

from __future__ import annotations

import struct

X86_64, ARM, PPC64 = 62, 40, 21


def make_elf(
    *,
    needed: tuple[str, ...] = (),
    interpreter: str = "",
    run_path: str = "",
    machine: int = X86_64,
    bits: int = 64,
    order: str = "<",
    tail: bytes = b"",
) -> bytes:
    """Make one: its header, its program headers, and a dynamic section if it needs anything."""
    wide = bits == 64
    header_size, segment_size = (64, 56) if wide else (52, 32)
    count = 1 + bool(interpreter) + bool(needed or run_path)
    at = header_size + count * segment_size
    base = 0x400000
    body, segments = b"", []
    if interpreter:
        name = interpreter.encode() + b"\0"
        segments.append((3, at, base + at, len(name)))
        body += name
    if needed or run_path:
        strings, tags = b"\0", []
        for name in needed:
            tags.append((1, len(strings)))
            strings += name.encode() + b"\0"
        if run_path:
            tags.append((29, len(strings)))
            strings += run_path.encode() + b"\0"
        tags.append((5, base + at + len(body)))
        body += strings
        dynamic = b"".join(
            struct.pack(order + ("qQ" if wide else "iI"), *tag) for tag in [*tags, (0, 0)]
        )
        segments.append((2, at + len(body), base + at + len(body), len(dynamic)))
        body += dynamic
    segments.append((1, 0, base, at + len(body)))
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    form = "HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"
    head = ident + struct.pack(
        order + form, 3, machine, 1, 0, header_size, 0, 0, header_size, segment_size, count, 0, 0, 0
    )
    for kind, offset, address, size in segments:
        if wide:
            head += struct.pack(
                order + "IIQQQQQQ", kind, 5, offset, address, address, size, size, 8
            )
        else:
            head += struct.pack(
                order + "IIIIIIII", kind, offset, address, address, size, size, 5, 4
            )
    return head + body + tail


def fake_busybox(names: tuple[str, ...], **how: object) -> bytes:
    """Make what passes for busybox: an ELF file with names of applets in it."""
    return make_elf(**how, tail=b"\0" + b"\0".join(name.encode() for name in names) + b"\0")
