# SPDX-License-Identifier: Apache-2.0
r"""GRUB's environment block, ``grubenv``: 1,024 bytes that GRUB itself can write. Pure.

::

    # GRUB Environment Block\n
    name=value\n                     in values, a newline is \ and newline, a backslash two
    # remark\n
    ####…                            up to byte 1,024

GRUB writes the whole block where it lies on the disk, sector by sector; what is to change in one
step has to be within the first 512 bytes.

Source: GRUB's grub-core/lib/envblk.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.errors import EnvironmentInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE_BYTES = 1024
SECTOR_BYTES = 512
_MAGIC = b"# GRUB Environment Block\n"
_FILL = b"#"


def encode_grubenv(variables: Mapping[str, str]) -> bytes:
    """Give the block; all that is said is in its first sector.

    Raises:
        EnvironmentInvalid: A name cannot be there, or there is no room in the first sector.
    """
    text = _MAGIC
    for name, value in variables.items():
        if not name or name[0] == "#" or set("=\n\\") & set(name):
            raise EnvironmentInvalid(f"GRUB's environment cannot hold a variable '{name}'")
        escaped = value.replace("\\", "\\\\").replace("\n", "\\\n")
        text += f"{name}={escaped}\n".encode(errors="surrogateescape")
    if len(text) > SECTOR_BYTES:
        raise EnvironmentInvalid(f"{len(text)} bytes of variables do not fit into one sector")
    return text.ljust(SIZE_BYTES, _FILL)


def decode_grubenv(data: bytes) -> dict[str, str]:
    """Read the block.

    Raises:
        EnvironmentInvalid: It is none.
    """
    if len(data) != SIZE_BYTES or not data.startswith(_MAGIC):
        raise EnvironmentInvalid("no environment block of GRUB's")
    variables = {}
    at = len(_MAGIC)
    while at < len(data):
        if data[at : at + 1] == _FILL:
            # A remark, such as grub-editenv's; the last one is what the block is filled up with.
            end = data.find(b"\n", at)
            at = len(data) if end == -1 else end + 1
            continue
        line, at = _read_line(data, at)
        name, equals, value = line.decode(errors="surrogateescape").partition("=")
        if not equals or not name:
            raise EnvironmentInvalid(f"GRUB's environment has a line '{name}' without a value")
        variables[name] = value
    return variables


def _read_line(data: bytes, at: int) -> tuple[bytes, int]:
    line = bytearray()
    while at < len(data):
        byte = data[at : at + 1]
        if byte == b"\n":
            return bytes(line), at + 1
        if byte == b"\\":
            at += 1
            byte = data[at : at + 1]
        line += byte
        at += 1
    raise EnvironmentInvalid("GRUB's environment ends within a line")
