# SPDX-License-Identifier: Apache-2.0
"""Kinds of archives that are not read here, so that whoever has one is told which it is."""

from __future__ import annotations

# A volume descriptor of ISO 9660 stands behind 16 sectors that are zeros, like the end of a tar.
ISO_HEAD_BYTES = 16 * 2048 + 6
_ISO_MAGIC_AT = 16 * 2048 + 1
_MAGICS = (
    (b"PK", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"MSCF", "cab"),
    (b"xar!", "xar"),
    (b"!<arch>\n", "ar"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"hsqs", "squashfs"),
    (b"\xc7\x71", "cpio in binary"),
    (b"\x71\xc7", "cpio in binary"),
    (b"LZIP", "lzip"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x1f\x9d", "compress"),
    (b"#mtree", "mtree"),
)


def name_kind(head: bytes) -> str:
    """Name the kind of a file by its first bytes; empty if they are of no kind that is known."""
    if head[_ISO_MAGIC_AT : _ISO_MAGIC_AT + 5] == b"CD001":
        return "ISO 9660"
    return next((name for magic, name in _MAGICS if head.startswith(magic)), "")
