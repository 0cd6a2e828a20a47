# SPDX-License-Identifier: Apache-2.0
"""U-Boot's legacy images: a header of 64 bytes before a script or a ramdisk. Pure.

::

    u32 magic  u32 header's crc32  u32 time  u32 length  u32 load address  u32 entry point
    u32 data's crc32  u8 system  u8 architecture  u8 type  u8 compression  32 bytes name

All big-endian; the header's checksum is taken with zero in its place. A script is a list of
lengths, ended by zero, and then the texts.

Source: U-Boot's include/image.h, tools/mkimage.c.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from zlib import crc32

from ostrya.boot.errors import ImageInvalid
from ostrya.named_tuple import NamedTuple

HEADER_BYTES = 64
MAX_SCRIPT_BYTES = 1 << 20
_HEADER = struct.Struct(">7I4B32s")
_MAGIC = 0x27051956
_LINUX = 5
_LENGTH = struct.Struct(">I")
_NAME_BYTES = 32


class Architecture(IntEnum):
    """The processor that an image is for."""

    ARM = 2
    X86 = 3
    X86_64 = 24
    ARM64 = 22
    RISCV = 26


class ImageType(IntEnum):
    """What an image holds."""

    KERNEL = 2
    RAMDISK = 3
    SCRIPT = 6
    FLAT_DEVICETREE = 8


class Image(NamedTuple):
    """A decoded image.

    Attributes:
        kind: What it holds.
        architecture: The processor, as the header has it.
        name: What it is called.
        data: What it holds.
    """

    kind: ImageType
    architecture: int
    name: str
    data: bytes


def encode_image(kind: ImageType, architecture: Architecture, name: str, data: bytes) -> bytes:
    """Put a header before data; it says that they were made in 1970.

    Raises:
        ImageInvalid: The name is too long.
    """
    label = name.encode()
    if len(label) > _NAME_BYTES:
        raise ImageInvalid(f"'{name}' is too long for the name of an image")
    rest = (len(data), 0, 0, crc32(data), _LINUX, architecture, kind, 0, label)
    header = _HEADER.pack(_MAGIC, 0, 0, *rest)
    return _HEADER.pack(_MAGIC, crc32(header), 0, *rest) + data


def encode_script(text: str, architecture: Architecture, name: str) -> bytes:
    """Give the image of a script, ``boot.scr``.

    Raises:
        ImageInvalid: The name is too long.
    """
    script = text.encode()
    data = _LENGTH.pack(len(script)) + _LENGTH.pack(0) + script
    return encode_image(ImageType.SCRIPT, architecture, name, data)


def decode_image(data: bytes) -> Image:
    """Read an image.

    Raises:
        ImageInvalid: It is none, or one of its checksums is wrong.
    """
    if len(data) < HEADER_BYTES:
        raise ImageInvalid("too short for an image of U-Boot's")
    magic, header_crc, time, length, load, entry, data_crc, *rest = _HEADER.unpack(
        data[:HEADER_BYTES]
    )
    if magic != _MAGIC:
        raise ImageInvalid("no image of U-Boot's")
    blank = _HEADER.pack(magic, 0, time, length, load, entry, data_crc, *rest)
    body = data[HEADER_BYTES : HEADER_BYTES + length]
    if crc32(blank) != header_crc or len(body) != length or crc32(body) != data_crc:
        raise ImageInvalid("a checksum of U-Boot's image is wrong")
    _system, architecture, kind, _compression, label = rest
    if kind not in tuple(ImageType):
        raise ImageInvalid(f"U-Boot's image is of kind {kind}")
    return Image(ImageType(kind), architecture, label.rstrip(b"\0").decode("latin-1"), body)


def decode_script(data: bytes) -> str:
    """Read the text of a script's image.

    Raises:
        ImageInvalid: It is none.
    """
    image = decode_image(data)
    if image.kind is not ImageType.SCRIPT or len(image.data) < 2 * _LENGTH.size:
        raise ImageInvalid("U-Boot's image holds no script")
    (length,) = _LENGTH.unpack_from(image.data)
    (end,) = _LENGTH.unpack_from(image.data, _LENGTH.size)
    text = image.data[2 * _LENGTH.size :]
    if end != 0 or length != len(text) or length > MAX_SCRIPT_BYTES:
        raise ImageInvalid("U-Boot's image holds several scripts, or half of one")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise ImageInvalid("U-Boot's script is no text") from None
