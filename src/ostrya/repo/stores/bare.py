# SPDX-License-Identifier: Apache-2.0
"""Modes ``bare``, ``bare-user-only`` and ``bare-split-xattrs``: files as themselves.

::

    objects/ab/cdef….file                 the file, hard-linkable into a checkout
    objects/ab/cdef….file-xattrs-link     bare-split-xattrs: hard link to …
    objects/12/3456….file-xattrs          … the file's extended attributes, a(ayay)
"""

from __future__ import annotations

import os
import stat
import time
from errno import ELOOP
from typing import TYPE_CHECKING

from ostrya._linux import xattr
from ostrya._linux.atomic import TmpFile, write_all
from ostrya._linux.dirfd import OPEN_FILE, FileTooLargeError, read_file
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.file_header import FileHeader
from ostrya.formats.xattrs import canonical_xattrs, decode_xattrs
from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import RepoModeError
from ostrya.repo.stores.base import FileObject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.xattrs import Xattrs
    from ostrya.repo.stores.base import Destination

_MAX_XATTRS_BYTES = 16 << 20


def loose_file_path(checksum: Checksum) -> str:
    """Return the loose path of a content object in the bare modes."""
    return f"{checksum[:2]}/{checksum[2:]}.file"


def open_bare(dir_fd: int, path: str) -> tuple[int, os.stat_result]:
    """Open an object that may be a symbolic link; of a link, the descriptor is -1."""
    try:
        fd = os.open(path, OPEN_FILE, dir_fd=dir_fd)
    except OSError as exc:
        if exc.errno != ELOOP:
            raise
        return -1, os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise ObjectFormatError("Not a regular file or symlink")
    return fd, found


def set_object_times(fd: int) -> None:
    """Give an object the modification time that all objects have: the epoch."""
    os.utime(fd, ns=(time.time_ns(), 0))


def own_file(fd: int, header: FileHeader) -> None:
    """Give a file its owner and its mode, where it has others: to look is cheaper."""
    found = os.fstat(fd)
    is_owned = found.st_uid == header.uid and found.st_gid == header.gid
    # Ownership before mode: chown clears setuid.
    if not is_owned:
        os.fchown(fd, header.uid, header.gid)
    if not is_owned or found.st_mode != header.mode:
        os.fchmod(fd, stat.S_IMODE(header.mode))


class _Found(NamedTuple):
    """An object's file, as it lies on the disk."""

    dir_fd: int
    path: str
    fd: int
    stat: os.stat_result
    target: str

    def header(self, xattrs: Xattrs) -> FileHeader:
        """Return the header of a file that has these xattrs."""
        stat = self.stat
        return FileHeader(stat.st_uid, stat.st_gid, stat.st_mode, self.target, xattrs)


class BareStore:
    """Stores content the way mode ``bare`` does: ownership, mode and xattrs are the file's."""

    __slots__ = ("_with_xattrs",)

    def __init__(self, *, with_xattrs: bool) -> None:
        self._with_xattrs = with_xattrs

    def path_of(self, checksum: Checksum) -> str:
        """Return the loose path of a content object."""
        return loose_file_path(checksum)

    def load(self, dir_fd: int, path: str, _checksum: Checksum) -> FileObject:
        """Open a content object."""
        fd, found = open_bare(dir_fd, path)
        try:
            target = "" if fd != -1 else os.readlink(path, dir_fd=dir_fd)
            header = self._header(_Found(dir_fd, path, fd, found, target))
        except BaseException:
            if fd != -1:
                os.close(fd)
            raise
        size = found.st_size if fd != -1 else 0
        return FileObject(header, size, found.st_size, fd)

    def _header(self, found: _Found) -> FileHeader:
        xattrs: Xattrs = ()
        if self._with_xattrs:
            pairs = (
                xattr.read_xattrs(found.fd)
                if found.fd != -1
                else xattr.read_xattrs_at(found.path, dir_fd=found.dir_fd)
            )
            xattrs = canonical_xattrs(pairs) if pairs else ()
        return found.header(xattrs)

    def put(
        self,
        destination: Destination,
        checksum: Checksum,
        header: FileHeader,
        data: bytes | memoryview,
    ) -> int | None:
        """Store a regular file held in memory."""
        self.check(header, checksum)
        # Begun with what the umask leaves of its mode, most need no other.
        with destination.begin(loose_file_path(checksum), header.mode & 0o777) as tmp:
            write_all(tmp.fd, data)
            is_new = self.put_tmpfile(destination, checksum, header, tmp, len(data))
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
        self.check(header, checksum)
        with destination.begin(loose_file_path(checksum)) as tmp:
            destination.write_chunks(tmp, chunks)
            is_new = self.put_tmpfile(destination, checksum, header, tmp)
        return size if is_new else None

    def check(self, header: FileHeader, checksum: Checksum) -> None:
        """Refuse what this mode cannot hold.

        Raises:
            RepoModeError: It cannot.
        """

    def put_tmpfile(
        self,
        destination: Destination,
        checksum: Checksum,
        header: FileHeader,
        tmp: TmpFile,
        size: int = 0,
    ) -> bool:
        """Store a file whose content, ``size`` bytes, is written already; False if it was there.

        The caller has asked ``check`` about it.
        """
        self._apply_metadata(tmp.fd, header)
        set_object_times(tmp.fd)
        return destination.publish(tmp, loose_file_path(checksum), size)

    def _apply_metadata(self, fd: int, header: FileHeader) -> None:
        own_file(fd, header)
        xattr.write_xattrs(fd, header.xattrs)

    def put_symlink(
        self, destination: Destination, checksum: Checksum, header: FileHeader
    ) -> int | None:
        """Store a symbolic link as one."""
        self.check(header, checksum)
        path = loose_file_path(checksum)
        if self._needs_staging(header):
            self._put_owned_symlink(destination, path, header)
        elif not destination.publish_symlink(header.symlink_target, path):
            return None
        return len(os.fsencode(header.symlink_target))

    def _needs_staging(self, header: FileHeader) -> bool:
        return bool(header.xattrs) or header.uid != os.geteuid() or header.gid != os.getegid()

    def _put_owned_symlink(self, destination: Destination, path: str, header: FileHeader) -> None:
        """Give the link its owner under another name first, so that it never appears without."""
        temporary = "symlink." + os.urandom(8).hex()
        scratch_fd = destination.scratch_fd
        os.symlink(header.symlink_target, temporary, dir_fd=scratch_fd)
        try:
            os.chown(temporary, header.uid, header.gid, dir_fd=scratch_fd, follow_symlinks=False)
            xattr.write_xattrs_at(temporary, header.xattrs, dir_fd=scratch_fd)
            destination.publish_scratch(temporary, path)
        except BaseException:
            os.unlink(temporary, dir_fd=scratch_fd)
            raise


class BareUserOnlyStore(BareStore):
    """Stores content the way mode ``bare-user-only`` does: no owners, no xattrs, no setuid."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(with_xattrs=False)

    def _header(self, found: _Found) -> FileHeader:
        return FileHeader(0, 0, found.stat.st_mode, found.target, ())

    def _apply_metadata(self, fd: int, header: FileHeader) -> None:
        os.fchmod(fd, stat.S_IMODE(header.mode))

    def _needs_staging(self, _header: FileHeader) -> bool:
        return False

    def check(self, header: FileHeader, checksum: Checksum) -> None:
        """Refuse modes that bare-user-only cannot hold."""
        check_user_only_mode(header.mode, checksum)


def check_user_only_mode(mode: int, checksum: Checksum) -> None:
    """Refuse what mode ``bare-user-only`` cannot hold: setuid, setgid, sticky, world-writable.

    Raises:
        RepoModeError: The mode has such a bit.
    """
    if stat.S_ISREG(mode):
        invalid = stat.S_IMODE(mode) & ~0o775
        if invalid:
            raise RepoModeError(
                f"Content object {checksum}: invalid mode 0{mode:04o} with bits 0{invalid:04o}"
            )


class BareSplitXattrsStore(BareStore):
    """Reads mode ``bare-split-xattrs``; writes it only in experiments, as libostree does.

    libostree refuses to write this mode unless an environment variable allows it, and then
    leaves out the xattrs objects, so that its own ``fsck`` rejects the result.
    """

    __slots__ = ("_may_write",)

    def __init__(self, *, may_write: bool) -> None:
        super().__init__(with_xattrs=True)
        self._may_write = may_write

    def _header(self, found: _Found) -> FileHeader:
        link = f"{found.path}-xattrs-link"
        try:
            encoded = read_file(link, dir_fd=found.dir_fd, max_bytes=_MAX_XATTRS_BYTES)
        except FileTooLargeError:
            raise ObjectFormatError(f"object {link} is too large") from None
        return found.header(decode_xattrs(encoded))

    def check(self, _header: FileHeader, _checksum: Checksum) -> None:
        """Refuse everything unless the experiment is allowed."""
        if not self._may_write:
            raise RepoModeError(
                "Writing content object: Not allowed due to repo mode",
                hint="mode bare-split-xattrs is for reading",
            )

    def _apply_metadata(self, fd: int, header: FileHeader) -> None:
        own_file(fd, header)
