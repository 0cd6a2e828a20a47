# SPDX-License-Identifier: Apache-2.0
"""The fs-verity digest of a byte stream, as the kernel would measure the file.

::

    data     | 4096 | 4096 | … | rest, zeros |       blocks of the file
               └ SHA-256 of each block
    level 0  | 128 digests | … | rest, zeros |       blocks of digests
               └ SHA-256 of each block
    …        until a level has one digest: the root (of no data: 32 zeros)

    descriptor, 256 bytes
    offset  size
    0       1     version: 1
    1       1     hash algorithm: 1, SHA-256
    2       1     logarithm of the block size: 12
    3       1     size of the salt: 0
    4       4     zero
    8       8     size of the data, little-endian
    16      64    root digest, then zeros
    80      176   zeros: salt, reserved

The digest is the SHA-256 of the descriptor. composefs names files by it.

Source: the kernel's documentation, filesystems/fsverity.rst.
"""

from __future__ import annotations

from hashlib import sha256
from struct import pack
from typing import TYPE_CHECKING

from ostrya.formats.checksum import Checksum

if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCK_SIZE = 4096
_DIGEST_SIZE = 32


class VerityHasher:
    """Takes the data piece by piece, keeps a block of digests per level, gives the digest."""

    __slots__ = ("_levels", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._size = 0
        self._levels: list[bytearray] = [bytearray()]

    def update(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next piece, of any length."""
        self._size += len(chunk)
        data = memoryview(self._rest + bytes(chunk) if self._rest else chunk)
        whole = len(data) - len(data) % BLOCK_SIZE
        for at in range(0, whole, BLOCK_SIZE):
            self._push(0, sha256(data[at : at + BLOCK_SIZE]).digest())
        self._rest = bytes(data[whole:])

    def checksum(self) -> Checksum:
        """Give the digest of all that was taken; the data ends here."""
        if self._rest:
            self._push(0, _hash_padded(self._rest))
            self._rest = b""
        head = pack("<BBBBIQ", 1, 1, 12, 0, 0, self._size)
        descriptor = (head + self._root()).ljust(256, b"\0")
        return Checksum(sha256(descriptor).hexdigest())

    def _push(self, level: int, digest: bytes) -> None:
        if level == len(self._levels):
            self._levels.append(bytearray())
        block = self._levels[level]
        block += digest
        if len(block) == BLOCK_SIZE:
            full = sha256(block).digest()
            block.clear()
            self._push(level + 1, full)

    def _root(self) -> bytes:
        if not self._size:
            return bytes(_DIGEST_SIZE)
        level = 0
        while level < len(self._levels) - 1 or len(self._levels[level]) > _DIGEST_SIZE:
            block = bytes(self._levels[level])
            if block:
                self._levels[level].clear()
                self._push(level + 1, _hash_padded(block))
            level += 1
        return bytes(self._levels[level])


def verity_digest(chunks: Iterable[bytes]) -> Checksum:
    """Give the digest of the chunks end to end."""
    hasher = VerityHasher()
    for chunk in chunks:
        hasher.update(chunk)
    return hasher.checksum()


def _hash_padded(block: bytes) -> bytes:
    return sha256(block.ljust(BLOCK_SIZE, b"\0")).digest()
