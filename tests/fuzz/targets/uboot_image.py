# SPDX-License-Identifier: Apache-2.0
"""U-Boot's legacy images."""

from __future__ import annotations

import struct
from zlib import crc32

from ostrya.boot.errors import ImageInvalid
from ostrya.boot.uboot_image import HEADER_BYTES, decode_image, decode_script


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode, with both checksums mended."""
    body = data[HEADER_BYTES:]
    head = bytearray(data[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0"))
    head[12:16] = struct.pack(">I", len(body))
    head[24:28] = struct.pack(">I", crc32(body))
    head[4:8] = bytes(4)
    head[4:8] = struct.pack(">I", crc32(bytes(head)))
    try:
        image = decode_image(bytes(head) + body)
        assert image.data == body
        return decode_script(bytes(head) + body)
    except ImageInvalid as exc:
        return exc
