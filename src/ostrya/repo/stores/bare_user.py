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
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.filemeta import decode_filemeta, encode_filemeta
from ostrya.repo.stores.bare import BareStore, open_bare
from ostrya.repo.stores.base import FileObject

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.file_header import FileHeader
    from ostrya.repo.stores.base import Destination

_META = "user.ostreemeta"
_MAX_TARGET_BYTES = 4096


class BareUserStore(BareStore):
    """Stores content the way mode ``bare-user`` does."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(with_xattrs=True)

    def load(self, dir_fd: int, path: str, _checksum: Checksum) -> FileObject:
        """Open a content object."""
        fd, found = open_bare(dir_fd, path)
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

    def _apply_metadata(self, fd: int, header: FileHeader) -> None:
        os.setxattr(fd, _META, encode_filemeta(header))
        # Readable by the owner in any case: this mode is for users without privilege.
        mode = 0o644 if header.is_symlink else (stat.S_IMODE(header.mode) & 0o775) | stat.S_IRUSR
        os.fchmod(fd, mode)

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
