# SPDX-License-Identifier: Apache-2.0
"""Indexes of kernel modules in the binary form that kmod reads. Pure.

A tree of strings: each node has what its keys go on with in common, children by the byte that comes
then, and the values of the key that ends here. Numbers are of 32 bits, big-endian::

    u32    0xB007F457
    u32    2 << 16 | 1, the version
    u32    offset of the root

    a node, as far as the flags in its offset say that there is each:
    0x80000000   prefix, ended by NUL
    0x20000000   first and last byte, then an offset for each from first to last; 0 for none
    0x40000000   u32 how many values; of each: u32 priority, then the text, ended by NUL

Source: kmod's libkmod/libkmod-index.h, tools/depmod.c (index_write__node).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAGIC, _VERSION = 0xB007F457, 0x00020001
_PREFIX, _VALUES, _CHILDREN = 0x80000000, 0x40000000, 0x20000000
# Longer ones are nobody's; each byte can be a level of the tree.
MAX_KEY_BYTES = 400

_Value = tuple[int, bytes]
_Entries = list[tuple[bytes, _Value]]


def encode_index(entries: Iterable[tuple[str, str, int]]) -> bytes:
    """Return an index of keys, values and priorities.

    Keys that are not ASCII, or too long, are left out: kmod has no place for them.
    """
    known = [
        (key.encode(), (priority, value.encode()))
        for key, value, priority in entries
        if key.isascii() and "\0" not in key and 0 < len(key) <= MAX_KEY_BYTES
    ]
    out = bytearray(struct.pack(">III", _MAGIC, _VERSION, 0))
    root = _write(out, sorted(known), b"")
    struct.pack_into(">I", out, 8, root)
    return bytes(out)


def _write(out: bytearray, entries: _Entries, prefix: bytes) -> int:
    """Write a node behind those below it, and return its offset with its flags."""
    here = [value for key, value in entries if not key]
    groups: dict[int, _Entries] = {}
    for key, value in entries:
        if key:
            groups.setdefault(key[0], []).append((key[1:], value))
    children = {}
    for byte, below in groups.items():
        shared = _shared([key for key, _ in below])
        cut = [(key[len(shared) :], value) for key, value in below]
        children[byte] = _write(out, cut, shared)
    offset = len(out)
    if prefix:
        out += prefix + b"\0"
        offset |= _PREFIX
    if children:
        first, last = min(children), max(children)
        out += bytes((first, last))
        for byte in range(first, last + 1):
            out += struct.pack(">I", children.get(byte, 0))
        offset |= _CHILDREN
    if here:
        out += struct.pack(">I", len(here))
        for priority, text in sorted(here):
            out += struct.pack(">I", priority) + text + b"\0"
        offset |= _VALUES
    return offset


def _shared(keys: list[bytes]) -> bytes:
    """Return what keys, which are sorted, begin with in common."""
    first, last = keys[0], keys[-1]
    end = 0
    while end < min(len(first), len(last)) and first[end] == last[end]:
        end += 1
    return first[:end]
