# SPDX-License-Identifier: Apache-2.0
"""What a kernel module says of itself: what it needs, and which devices it is for. Pure.

::

    an ELF file          32 or 64 bits, either byte order
    section .modinfo     strings of "name=value", each ended by NUL
        name, alias, softdep
        depends          names of other modules, with commas between

Source: elf(5); linux/module.h, MODULE_INFO; what modpost writes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAGIC = b"\x7fELF"
_HEADER = {1: "HHIIIIIHHHHHH", 2: "HHIQQQIHHHHHH"}
_SECTION = {1: "IIIIIIIIII", 2: "IIQQQQIIQQ"}
_NAME = b".modinfo\0"
_MAX_SECTIONS = 65535


class ModuleInfo(NamedTuple):
    """What a module says of itself.

    Attributes:
        depends: Names of modules that have to be there.
        aliases: Patterns of devices, and other names.
        softdeps: What it had better be loaded with, as ``pre: a post: b``.
    """

    depends: tuple[str, ...]
    aliases: tuple[str, ...]
    softdeps: tuple[str, ...]


def decode_module(data: bytes) -> ModuleInfo:
    """Read a module, which is not compressed.

    Raises:
        SourceError: It is no ELF file, or a damaged one.
    """
    if len(data) < 16 or data[:4] != _MAGIC or data[4] not in _HEADER or data[5] not in (1, 2):
        raise SourceError("not an ELF file")
    try:
        section = _modinfo(data, data[4], "<" if data[5] == 1 else ">")
    except (struct.error, OverflowError) as exc:
        raise SourceError("an ELF file that ends too early") from exc
    found: dict[str, list[str]] = {"depends": [], "alias": [], "softdep": []}
    for item in section.split(b"\0"):
        name, equals, value = item.partition(b"=")
        key = name.decode("latin-1")
        if equals and key in found:
            text = value.decode("utf-8", "replace")
            # One line each, in the files that come of it.
            found[key].append(" ".join(text.split()))
    depends = [word for text in found["depends"] for word in text.split(",") if word]
    return ModuleInfo(tuple(depends), tuple(found["alias"]), tuple(found["softdep"]))


def close_dependencies(needs: Mapping[str, tuple[str, ...]], name: str) -> list[str]:
    """Return what a module needs, all of it, what is needed by others behind them.

    What is not there is passed over, as it may be built into the kernel.
    """
    order: dict[str, None] = {}
    # Whom a module is needed by, on the way to it: circles would never end.
    stack: list[tuple[str, Iterator[str]]] = [(name, iter(needs.get(name, ())))]
    on_the_way = {name}
    while stack:
        current, rest = stack[-1]
        for other in rest:
            if other in needs and other not in order and other not in on_the_way:
                on_the_way.add(other)
                stack.append((other, iter(needs[other])))
                break
        else:
            stack.pop()
            order[current] = None
    del order[name]
    return list(reversed(order))


def _modinfo(data: bytes, bits: int, order: str) -> bytes:
    header = struct.unpack_from(order + _HEADER[bits], data, 16)
    table, entry_size, count, names_at = header[5], header[10], header[11], header[12]
    form = order + _SECTION[bits]
    if not table or count > _MAX_SECTIONS or entry_size < struct.calcsize(form):
        raise SourceError("an ELF file without sections")
    names = struct.unpack_from(form, data, table + names_at * entry_size)
    for at in range(count):
        section = struct.unpack_from(form, data, table + at * entry_size)
        start = names[4] + section[0]
        if data[start : start + len(_NAME)] == _NAME:
            return data[section[4] : section[4] + section[5]]
    return b""
