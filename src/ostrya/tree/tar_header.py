# SPDX-License-Identifier: Apache-2.0
"""Entries of a tar archive in GNU tar's format, field by field as libarchive writes them.

Owners are numbers only; long names are ``././@LongLink`` entries, numbers too large for octal are
in base 256. What that format cannot say, extended attributes, goes before an entry as a POSIX
extended header with ``SCHILY.xattr`` records, which GNU tar and bsdtar both read. Pure.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.xattrs import Xattrs

BLOCK = 512
FILE, HARD_LINK, SYMLINK, DIRECTORY = b"0", b"1", b"2", b"5"
_NAME_BYTES = 100
_GNU_MAGIC = b"ustar  \0"
_POSIX_MAGIC = b"ustar\x0000"
_LONG_NAME = b"././@LongLink"


class TarHeader(NamedTuple):
    """The fields of one header block that vary.

    Attributes:
        name: What it is called; ends in a slash if it is a directory.
        kind: `FILE`, `HARD_LINK`, `SYMLINK` or `DIRECTORY`.
        mode: Permissions; bits of the type are left out.
        uid: Owner.
        gid: Group.
        size: Of what follows, in bytes.
        link: Where a link leads.
    """

    name: bytes
    kind: bytes
    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    link: bytes = b""


def encode_entry(header: TarHeader, timestamp: int, xattrs: Xattrs = ()) -> bytes:
    """Return all blocks of an entry that come before its content.

    Args:
        header: Its fields.
        timestamp: In seconds since 1970 UTC.
        xattrs: Extended attributes.
    """
    parts = [_encode_xattrs(header, timestamp, xattrs)] if xattrs else []
    for kind, text in ((b"K", header.link), (b"L", header.name)):
        if len(text) > _NAME_BYTES:
            long = TarHeader(_LONG_NAME, kind, 0, size=len(text) + 1, link=header.link)
            parts += [_encode_header(long, 0, owner=b"root", group=b"wheel"), _padded(text + b"\0")]
    parts.append(_encode_header(header, timestamp))
    return b"".join(parts)


def _encode_xattrs(header: TarHeader, timestamp: int, xattrs: Xattrs) -> bytes:
    records = b"".join(_pax_record(b"SCHILY.xattr." + key, value) for key, value in xattrs)
    base = header.name.rstrip(b"/").rpartition(b"/")[2]
    name = (b"PaxHeaders/" + base)[:_NAME_BYTES]
    extended = TarHeader(name, b"x", 0o644, size=len(records))
    return _encode_header(extended, timestamp, magic=_POSIX_MAGIC) + _padded(records)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def _encode_header(
    header: TarHeader,
    timestamp: int,
    *,
    magic: bytes = _GNU_MAGIC,
    owner: bytes = b"",
    group: bytes = b"",
) -> bytes:
    before = b"".join(
        (
            header.name[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0"),
            _number(stat.S_IMODE(header.mode), 8),
            _number(header.uid, 8),
            _number(header.gid, 8),
            _number(header.size, 12),
            # As libarchive: a time before 1970 is written as 1970.
            _number(max(timestamp, 0), 12),
        )
    )
    after = b"".join(
        (
            header.kind,
            header.link[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0"),
            magic,
            owner.ljust(32, b"\0"),
            group.ljust(32, b"\0"),
        )
    )
    # The checksum is taken as if its own field were blank.
    total = sum(before) + 8 * ord(" ") + sum(after)
    return (before + b"%06o\0 " % total + after).ljust(BLOCK, b"\0")


def _number(value: int, width: int) -> bytes:
    """Encode in octal with a NUL at the end, or in base 256 with the highest bit set."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return (value % (1 << 8 * (width - 1)) | 1 << 8 * width - 1).to_bytes(width, "big")


def _pax_record(key: bytes, value: bytes) -> bytes:
    """Encode ``LENGTH KEY=VALUE`` and a newline; the length counts its own digits."""
    body = b" %b=%b\n" % (key, value)
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return b"%d%b" % (length, body)
