# SPDX-License-Identifier: Apache-2.0
"""Packets of the SSH file transfer protocol, version 3. Pure.

::

    packet    u32be length of what follows, u8 type, then for all but INIT and VERSION u32be id
    string    u32be length, bytes
    attrs     u32 flags; by flag: u64 size | u32 uid, u32 gid | u32 mode | u32 atime, u32 mtime
              | u32 count of (string, string)

Source: draft-ietf-secsh-filexfer-02; OpenSSH's PROTOCOL, section 4, for the extensions.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import Self

from ostrya.fetch.errors import SftpError
from ostrya.named_tuple import NamedTuple

MAX_PACKET_BYTES = 1 << 20
VERSION = 3
POSIX_RENAME = b"posix-rename@openssh.com"
FSYNC = b"fsync@openssh.com"
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")


class Kind(IntEnum):
    """Types of packets."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RENAME = 18
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200


class Status(IntEnum):
    """What a server answers besides data; others exist, and mean failure too."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4


class OpenFlag(IntFlag):
    """How a file is opened."""

    READ = 1
    WRITE = 2
    CREATE = 8
    TRUNCATE = 16
    EXCLUSIVE = 32


class _AttrFlag(IntFlag):
    SIZE = 1
    OWNER = 2
    MODE = 4
    TIMES = 8
    EXTENDED = 0x80000000


class Attrs(NamedTuple):
    """What a server says of a file.

    Attributes:
        size: In bytes.
        mode: With the type's bits; 0 if it is not said.
        mtime: Seconds since the epoch.
    """

    size: int = 0
    mode: int = 0
    mtime: int = 0


class Packet(NamedTuple):
    """A packet that came.

    Attributes:
        kind: Its type.
        id: Of the request that it answers; the version for VERSION.
        body: The rest.
    """

    kind: int
    id: int
    body: bytes

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Take a packet apart, without its length.

        Raises:
            SftpError: It is too short.
        """
        if len(payload) < 5:
            raise SftpError("the server sent a packet that is too short")
        return cls(payload[0], _U32.unpack_from(payload, 1)[0], payload[5:])


def packet(kind: Kind, number: int, *fields: bytes) -> bytes:
    """Return the bytes of a request."""
    body = b"".join(fields)
    return _U32.pack(len(body) + 5) + bytes([kind]) + _U32.pack(number) + body


def u32(number: int) -> bytes:
    """Encode a number of 32 bits."""
    return _U32.pack(number)


def u64(number: int) -> bytes:
    """Encode a number of 64 bits."""
    return _U64.pack(number)


def string(data: bytes | str) -> bytes:
    """Encode a string; text is UTF-8, and bytes of names that are none stay as they are."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    return _U32.pack(len(raw)) + raw


def mode_attrs(mode: int) -> bytes:
    """Encode attributes that say nothing but the mode."""
    return _U32.pack(_AttrFlag.MODE) + _U32.pack(mode)


NO_ATTRS = _U32.pack(0)


class Fields:
    """Reads the fields of a body from its beginning."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._body):
            raise SftpError("the server sent a packet that ends too early")
        piece = self._body[self._at : end]
        self._at = end
        return piece

    @property
    def is_empty(self) -> bool:
        """Whether all was read."""
        return self._at >= len(self._body)

    def u32(self) -> int:
        """Read a number of 32 bits."""
        return int.from_bytes(self._take(4), "big")

    def string(self) -> bytes:
        """Read a string."""
        return self._take(self.u32())

    def attrs(self) -> Attrs:
        """Read attributes."""
        flags = self.u32()
        size = int.from_bytes(self._take(8), "big") if flags & _AttrFlag.SIZE else 0
        if flags & _AttrFlag.OWNER:
            self._take(8)
        mode = self.u32() if flags & _AttrFlag.MODE else 0
        mtime = 0
        if flags & _AttrFlag.TIMES:
            self.u32()
            mtime = self.u32()
        if flags & _AttrFlag.EXTENDED:
            for _ in range(self.u32()):
                self.string()
                self.string()
        return Attrs(size, mode, mtime)
