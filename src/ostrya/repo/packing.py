# SPDX-License-Identifier: Apache-2.0
"""Objects as an archive keeps them, whatever the mode of the repository that they are taken from.

Each is hashed on the way: what is damaged here is not handed to others.
"""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from ostrya._linux.atomic import open_spool, write_all
from ostrya.errors import FormatError
from ostrya.formats.checksum import Checksum, checksum_of
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.content_hash import ContentHasher
from ostrya.repo.errors import ChecksumMismatch, ObjectInvalid
from ostrya.repo.packed import verify_content
from ostrya.repo.reader import load_file, load_metadata
from ostrya.repo.stores.archive import ArchiveFile, compress, pack_chunks
from ostrya.repo.stores.base import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.base import FileObject

# What is longer is in a file, and never in memory as a whole.
HELD_BYTES = 4 << 20
_SPOOL_ELSEWHERE = "/var/tmp"  # noqa: S108  # for files without names


class Packed:
    """The bytes of one object as an archive keeps them.

    Attributes:
        size: How many there are.
        data: All of them, unless they are in a file.
        fd: That file, which is read by position; else -1.
    """

    __slots__ = ("data", "fd", "size")

    def __init__(self, data: bytes = b"", *, fd: int = -1, size: int | None = None) -> None:
        self.data = data
        self.fd = fd
        self.size = len(data) if size is None else size

    def chunks(self, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """Yield the bytes from the beginning, as often as it is asked for."""
        offset = 0
        while offset < self.size:
            if self.fd == -1:
                piece = self.data[offset : offset + chunk_bytes]
            else:
                piece = os.pread(self.fd, min(chunk_bytes, self.size - offset), offset)
            if not piece:
                return
            offset += len(piece)
            yield piece

    def close(self) -> None:
        """Close the file."""
        if self.fd != -1:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class Packer:
    """Packs objects of one repository; not for several threads at once."""

    __slots__ = ("_as_zlib", "_hasher", "_level", "_repo")

    def __init__(self, repo: Repository, *, as_zlib: bool = False) -> None:
        """Prepare to pack.

        Args:
            repo: Where objects are taken from.
            as_zlib: Whether content gets the very bytes that zlib makes of it: for commits that
                say how large their objects are.
        """
        self._repo = repo
        self._level = repo.config.zlib_level
        self._as_zlib = as_zlib
        self._hasher = ContentHasher()

    def pack(self, name: ObjectName) -> Packed:
        """Return an object, to be closed.

        Raises:
            ObjectNotFound: It is nowhere.
            ChecksumMismatch: Its bytes are not those of its name.
            ObjectInvalid: It is damaged.
        """
        if name.type != ObjectType.FILE:
            data = load_metadata(self._repo, name)
            actual = checksum_of(data)
            if actual != name.checksum:
                raise ChecksumMismatch(name, actual)
            return Packed(data)
        with load_file(self._repo, name.checksum) as loaded:
            try:
                return self._pack_content(name.checksum, loaded)
            except FormatError as exc:
                raise ObjectInvalid(name, exc.message) from exc

    def _pack_content(self, checksum: Checksum, loaded: FileObject) -> Packed:
        if isinstance(loaded, ArchiveFile):
            # As it is: compressed again, it would be another file than the one here.
            verify_content(self._hasher, checksum, loaded)
            return _whole_file(loaded)
        header = loaded.header
        if header.is_symlink:
            verify_content(self._hasher, checksum, loaded)
            return Packed(header.encode_archive(0))
        prefix = header.encode_archive(loaded.size)
        if loaded.size <= HELD_BYTES:
            data = loaded.read()
            self._verify_data(checksum, loaded, data)
            return Packed(prefix + compress(data, self._level, as_zlib=self._as_zlib))
        return self._spool(checksum, loaded, prefix)

    def _verify_data(self, checksum: Checksum, loaded: FileObject, data: bytes) -> None:
        digest = self._hasher.begin(loaded.header)
        digest.update(data)
        _require(checksum, Checksum(digest.hexdigest()))

    def _spool(self, checksum: Checksum, loaded: FileObject, prefix: bytes) -> Packed:
        digest = self._hasher.begin(loaded.header)

        def hashed() -> Iterator[bytes]:
            for chunk in loaded.chunks():
                digest.update(chunk)
                yield chunk

        packed = Packed(fd=_open_spool(self._repo))
        try:
            write_all(packed.fd, prefix)
            packed.size = len(prefix)
            with closing(pack_chunks(hashed(), self._level, as_zlib=self._as_zlib)) as pieces:
                for piece in pieces:
                    write_all(packed.fd, piece)
                    packed.size += len(piece)
            _require(checksum, Checksum(digest.hexdigest()))
        except BaseException:
            packed.close()
            raise
        return packed


def _whole_file(loaded: ArchiveFile) -> Packed:
    if loaded.stored_size <= HELD_BYTES:
        return Packed(os.pread(loaded.content_fd, loaded.stored_size, 0))
    return Packed(fd=os.dup(loaded.content_fd), size=loaded.stored_size)


def _require(checksum: Checksum, actual: Checksum) -> None:
    if actual != checksum:
        raise ChecksumMismatch(ObjectName(checksum, ObjectType.FILE), actual)


def _open_spool(repo: Repository) -> int:
    if repo.writable:
        return open_spool(repo.tmp_fd)
    fd = os.open(_SPOOL_ELSEWHERE, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return open_spool(fd)
    finally:
        os.close(fd)
