# SPDX-License-Identifier: Apache-2.0
"""ELF programs, as far as it takes to find the libraries that they need.

::

    the header           machine, class (32 or 64 bits), byte order
    program headers      LOAD, what stands where in memory; INTERP, the loader; DYNAMIC
    the dynamic section  NEEDED, RUNPATH and RPATH: offsets into the table of strings, STRTAB

Source: elf(5); the System V ABI, chapters 4 and 5.
"""

from __future__ import annotations

import struct

from ostrya.boot.errors import InitramfsError
from ostrya.named_tuple import NamedTuple

_MAGIC = b"\x7fELF"
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 15, 29
_HEADER = {1: "HHIIIIIHHHHHH", 2: "HHIQQQIHHHHHH"}
# Where fields of a program header stand: type, offset, address, size in the file.
_SEGMENT = {1: ("IIIIIIII", (0, 1, 2, 4)), 2: ("IIQQQQQQ", (0, 2, 3, 5))}
_DYNAMIC = {1: "iI", 2: "qQ"}
_MAX_SEGMENTS = 512
_MAX_TAGS = 4096
_MAX_NAME_BYTES = 4096


class Kind(NamedTuple):
    """What has to be the same for programs and libraries to go together."""

    machine: int
    bits: int
    is_big_endian: bool


class Program(NamedTuple):
    """A program or library.

    Attributes:
        kind: What it runs on.
        interpreter: The path of its loader; empty for a static program and for libraries.
        needed: Names of libraries.
        run_path: Where it has them looked for before elsewhere.
    """

    kind: Kind
    interpreter: str
    needed: tuple[str, ...]
    run_path: tuple[str, ...]


class _Segment(NamedTuple):
    type: int
    offset: int
    address: int
    size: int


def is_elf(data: bytes) -> bool:
    """Say whether something is an ELF file at all."""
    return data[:4] == _MAGIC


def decode_elf(data: bytes) -> Program:
    """Read what a program needs.

    Raises:
        InitramfsError: It is no ELF file, or a damaged one.
    """
    if len(data) < 16 or not is_elf(data) or data[4] not in (1, 2) or data[5] not in (1, 2):
        raise InitramfsError("not an ELF file")
    try:
        return _decode(data)
    except (struct.error, OverflowError) as exc:
        raise InitramfsError("an ELF file that ends too early") from exc


def _decode(data: bytes) -> Program:
    bits, order = data[4], "<" if data[5] == 1 else ">"
    header = struct.unpack_from(order + _HEADER[bits], data, 16)
    kind = Kind(header[1], 32 * bits, order == ">")
    segments = _read_segments(data, order, bits, header)
    interpreter, tags = "", []
    for segment in segments:
        if segment.type == _PT_INTERP:
            interpreter = _text_at(data, segment.offset)
        elif segment.type == _PT_DYNAMIC:
            tags = _read_tags(data, order + _DYNAMIC[bits], segment)
    strings = next((value for tag, value in tags if tag == _DT_STRTAB), None)
    if strings is None:
        return Program(kind, interpreter, (), ())
    start = _offset_of(strings, segments)
    needed = [_text_at(data, start + value) for tag, value in tags if tag == _DT_NEEDED]
    paths = [_text_at(data, start + value) for tag, value in tags if tag == _DT_RUNPATH]
    paths = paths or [_text_at(data, start + value) for tag, value in tags if tag == _DT_RPATH]
    run_path = tuple(one for path in paths for one in path.split(":") if one)
    return Program(kind, interpreter, tuple(needed), run_path)


def _read_segments(data: bytes, order: str, bits: int, header: tuple[int, ...]) -> list[_Segment]:
    table, entry_size, count = header[4], header[8], header[9]
    if count > _MAX_SEGMENTS:
        raise InitramfsError("an ELF file with too many program headers")
    form, fields = _SEGMENT[bits]
    found = []
    for at in range(count):
        values = struct.unpack_from(order + form, data, table + at * entry_size)
        found.append(_Segment(*(values[field] for field in fields)))
    return found


def _read_tags(data: bytes, form: str, segment: _Segment) -> list[tuple[int, int]]:
    size = struct.calcsize(form)
    tags: list[tuple[int, int]] = []
    for at in range(min(segment.size // size, _MAX_TAGS)):
        tag, value = struct.unpack_from(form, data, segment.offset + at * size)
        if tag == _DT_NULL:
            break
        tags.append((tag, value))
    return tags


def _offset_of(address: int, segments: list[_Segment]) -> int:
    for segment in segments:
        inside = address - segment.address
        if segment.type == _PT_LOAD and 0 <= inside < segment.size:
            return segment.offset + inside
    raise InitramfsError("an ELF file whose strings are nowhere")


def _text_at(data: bytes, offset: int) -> str:
    end = data.find(b"\0", offset, offset + _MAX_NAME_BYTES)
    if end == -1:
        raise InitramfsError("an ELF file with a name that has no end")
    # Names of files, which need not be text.
    return data[offset:end].decode("utf-8", "surrogateescape")
