# SPDX-License-Identifier: Apache-2.0
"""Mode ``bare-user``: content as itself, ownership and mode in an extended attribute.

::

    objects/ab/cdef….file     content; of a symbolic link: its target and a NUL
        user.ostreemeta       (uuua(ayay)): uid, gid, mode, xattrs, integers big-endian
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux import xattr
from ostrya._linux.atomic import TmpFile, write_all
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.filemeta import decode_filemeta, encode_filemeta
from ostrya.repo.stores.bare import loose_file_path, open_bare, set_object_times
from ostrya.repo.stores.base import FileObject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.file_header import FileHeader
    from ostrya.repo.stores.base import Destination

_META = "user.ostreemeta"
_MAX_TARGET_BYTES = 4096


class BareUserStore:
    """Stores content the way mode ``bare-user`` does."""

    __slots__ = ()

    def path_of(self, checksum: Checksum) -> str:
        """Return the loose path of a content object."""
        return loose_file_path(checksum)

    def load(self, objects_fd: int, checksum: Checksum) -> FileObject:
        """Open a content object."""
        fd, found = open_bare(objects_fd, loose_file_path(checksum))
        if fd == -1:
            raise ObjectFormatError("a symbolic link where a regular file is expected")
        try:
            header = _read_header(fd, found.st_size)
        except BaseException:
            os.close(fd)
            raise
        if header.is_symlink:
            os.close(fd)
            return FileObject(header, 0, found.st_size)
        return FileObject(header, found.st_size, found.st_size, fd)

    def put(
        self,
        destination: Destination,
        checksum: Checksum,
        header: FileHeader,
        data: bytes | memoryview,
    ) -> int | None:
        """Store a regular file held in memory."""
        with destination.begin(loose_file_path(checksum)) as tmp:
            write_all(tmp.fd, data)
            is_new = self.put_tmpfile(destination, checksum, header, tmp)
        return len(data) if is_new else None

    def put_chunks(
        self,
        destination: Destination,
        checksum: Checksum,
        header: FileHeader,
        size: int,
        chunks: Iterable[bytes],
    ) -> int | None:
        """Store a regular file that comes in pieces."""
        with destination.begin(loose_file_path(checksum)) as tmp:
            for chunk in chunks:
                write_all(tmp.fd, chunk)
            is_new = self.put_tmpfile(destination, checksum, header, tmp)
        return size if is_new else None

    def put_tmpfile(
        self, destination: Destination, checksum: Checksum, header: FileHeader, tmp: TmpFile
    ) -> bool:
        """Store a file whose content is written already; False if it was there."""
        os.setxattr(tmp.fd, _META, encode_filemeta(header))
        # Readable by the owner in any case: this mode is for users without privilege.
        mode = 0o644 if header.is_symlink else (stat.S_IMODE(header.mode) & 0o775) | stat.S_IRUSR
        os.fchmod(tmp.fd, mode)
        set_object_times(tmp.fd)
        return destination.publish(tmp, loose_file_path(checksum))

    def put_symlink(
        self, destination: Destination, checksum: Checksum, header: FileHeader
    ) -> int | None:
        """Store a symbolic link as a regular file that holds its target."""
        # The NUL lets other tools map the file and read the target as a C string.
        data = os.fsencode(header.symlink_target) + b"\0"
        return self.put(destination, checksum, header, data)


def _read_header(fd: int, size: int) -> FileHeader:
    encoded = xattr.read_xattr(fd, _META)
    if encoded is None:
        raise ObjectFormatError(f"extended attribute {_META} is missing")
    header = decode_filemeta(encoded)
    if not header.is_symlink:
        return header
    if size > _MAX_TARGET_BYTES:
        raise ObjectFormatError("target of a symbolic link is too long")
    target = os.pread(fd, _MAX_TARGET_BYTES + 1, 0).partition(b"\0")[0]
    try:
        return header._replace(symlink_target=target.decode())
    except UnicodeDecodeError:
        raise ObjectFormatError("target of a symbolic link is not UTF-8") from None
