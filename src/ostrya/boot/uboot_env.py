# SPDX-License-Identifier: Apache-2.0
"""U-Boot's environment as bytes, and ``fw_env.config``, which says where it lies. Pure.

::

    crc32   of all that follows; u32 in the board's byte order
    flags   only where there are two copies: the greater is the newer, counted modulo 256
    text    NAME=VALUE NUL … NUL NUL, filled up with zeros (or 0xff, as old tools did)

Source: U-Boot's env/common.c, tools/env/fw_env.c.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

from ostrya.boot.errors import EnvironmentInvalid
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 1 << 20
_CRC_BYTES = 4
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,16}|[0-9]{1,19}")
_MOST_PLACES = 2


class Environment(NamedTuple):
    """A decoded environment.

    Attributes:
        variables: In the order of the text.
        flags: Of one of two copies; None of a single one.
    """

    variables: dict[str, str]
    flags: int | None = None


class EnvironmentPlace(NamedTuple):
    """Where one copy of an environment lies.

    Attributes:
        path: A device or a file.
        offset: Of its first byte; negative ones count from the end.
        size_bytes: Of the copy.
    """

    path: str
    offset: int
    size_bytes: int


def encode_environment(
    variables: Mapping[str, str], size_bytes: int, *, flags: int | None = None, big: bool = False
) -> bytes:
    """Give the bytes of an environment.

    Args:
        variables: Names and values; those without a value do not exist for U-Boot.
        size_bytes: How long it is, header included.
        flags: The counter of one of two copies; None for a single one.
        big: Whether the board is big-endian.

    Raises:
        EnvironmentInvalid: A name or a value cannot be there, or there is no room for all.
    """
    text = b""
    for name, value in variables.items():
        if not name or "=" in name or "\0" in name or "\0" in value:
            raise EnvironmentInvalid(f"U-Boot's environment cannot hold '{name}={value}'")
        if value:
            text += f"{name}={value}\0".encode(errors="surrogateescape")
    text += b"\0"
    header = b"" if flags is None else bytes((flags % 256,))
    room = size_bytes - _CRC_BYTES - len(header)
    if len(text) > room:
        raise EnvironmentInvalid(f"{len(text)} bytes of variables do not fit into {room}")
    text = text.ljust(room, b"\0")
    return crc32(text).to_bytes(_CRC_BYTES, "big" if big else "little") + header + text


def decode_environment(data: bytes, *, redundant: bool = False, big: bool = False) -> Environment:
    """Read an environment.

    Args:
        data: All of it: its size is part of what the checksum says.
        redundant: Whether it is one of two copies.
        big: Whether the board is big-endian.

    Raises:
        EnvironmentInvalid: The checksum is another one, or the text is none.
    """
    start = _CRC_BYTES + int(redundant)
    if not start < len(data) <= MAX_BYTES:
        raise EnvironmentInvalid(f"{len(data)} bytes are no environment of U-Boot's")
    text = data[start:]
    stored = int.from_bytes(data[:_CRC_BYTES], "big" if big else "little")
    if crc32(text) != stored:
        raise EnvironmentInvalid("the checksum of U-Boot's environment is wrong")
    end = 0 if text[:1] == b"\0" else text.find(b"\0\0")
    variables = {}
    for item in text[: end if end >= 0 else len(text)].split(b"\0"):
        if not item:
            continue
        name, equals, value = item.decode(errors="surrogateescape").partition("=")
        if not name or not equals:
            raise EnvironmentInvalid(f"U-Boot's environment has a line '{name}' without a value")
        variables[name] = value
    return Environment(variables, data[_CRC_BYTES] if redundant else None)


def newer_copy(first: Environment, second: Environment) -> int:
    """Say which of two valid copies counts, 0 or 1; of equal ones the first."""
    ahead = ((second.flags or 0) - (first.flags or 0)) % 256
    return int(0 < ahead < 128)


def parse_fw_env_config(text: str) -> tuple[EnvironmentPlace, ...]:
    """Read ``fw_env.config``: a line for each copy, ``PATH OFFSET SIZE`` and what flash needs.

    Raises:
        EnvironmentInvalid: It names no place, more than two, or two of different sizes.
    """
    places = []
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if len(words) < 3:
            raise EnvironmentInvalid(f"fw_env.config: '{line.strip()}' lacks an offset or a size")
        places.append(EnvironmentPlace(words[0], _number(words[1]), _number(words[2])))
    if not 0 < len(places) <= _MOST_PLACES:
        raise EnvironmentInvalid(f"fw_env.config names {len(places)} places, not one or two")
    sizes = {place.size_bytes for place in places}
    if len(sizes) > 1 or not 8 <= max(sizes) <= MAX_BYTES:
        raise EnvironmentInvalid("fw_env.config: sizes differ, or are none")
    return tuple(places)


def _number(word: str) -> int:
    is_negative = word.startswith("-")
    digits = word.removeprefix("-")
    if not _NUMBER.fullmatch(digits):
        raise EnvironmentInvalid(f"fw_env.config: '{word}' is no number")
    value = int(digits, 16 if digits.startswith("0x") else 10)
    return -value if is_negative else value
