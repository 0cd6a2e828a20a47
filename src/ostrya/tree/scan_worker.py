# SPDX-License-Identifier: Apache-2.0
"""Reading, hashing and storing the files of a batch: what runs in every worker of a scan."""

from __future__ import annotations

import os
import stat
from errno import EAGAIN, EINVAL, ELOOP, EPERM, ESPIPE
from typing import TYPE_CHECKING

from ostrya._linux import xattr
from ostrya._linux.dirfd import open_dir_below, read_chunks
from ostrya._linux.naming import KnownPath, name_error
from ostrya.errors import FormatError
from ostrya.formats.errors import printable
from ostrya.formats.file_header import FileHeader
from ostrya.formats.xattrs import Xattrs, canonical_xattrs
from ostrya.repo.errors import ChecksumMismatch
from ostrya.repo.stores.base import WHOLE_BYTES
from ostrya.tree.errors import ChangedWhileRead
from ostrya.tree.worker_results import take_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.transaction import Transaction
    from ostrya.repo.writer import ObjectWriter
    from ostrya.tree.worker_results import Told

# Directory, name, uid, gid, mode, inode, size, mtime in ns, xattrs if decided, may be adopted.
FileTask = tuple[str, str, int, int, int, int, int, int, "Xattrs | None", bool]
Batch = tuple[int, list[FileTask]]
BatchResult = tuple[int, list[str], "Told"]

_OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY | os.O_NONBLOCK
# A link where a file was found, a file where a link was, a pipe with or without a writer.
_NOT_WHAT_IT_WAS = (ELOOP, EINVAL, EAGAIN, ESPIPE)


def make_scan_worker(
    tx: Transaction, root_fd: int, path: str, *, skip_xattrs: bool
) -> Callable[[], Callable[[Batch], BatchResult]]:
    """Return a factory of workers, for ``map_batches``; ``path`` is that of the open directory."""

    def make() -> Callable[[Batch], BatchResult]:
        return _ScanWorker(tx.new_writer(), root_fd, path, skip_xattrs=skip_xattrs).run

    return make


class _ScanWorker:
    __slots__ = (
        "_buffer",
        "_dir_fd",
        "_path",
        "_relative",
        "_root_fd",
        "_skip_xattrs",
        "_writer",
    )

    def __init__(self, writer: ObjectWriter, root_fd: int, path: str, *, skip_xattrs: bool) -> None:
        self._writer = writer
        self._path = path
        self._root_fd = root_fd
        self._skip_xattrs = skip_xattrs
        self._relative: str | None = None
        self._dir_fd = -1
        # Pages are only used up as far as files fill them.
        self._buffer = memoryview(bytearray(WHOLE_BYTES + 1))

    def run(self, batch: Batch) -> BatchResult:
        number, tasks = batch
        try:
            checksums: list[str] = [self._store(task) for task in tasks]
        finally:
            self._leave_dir()
        return number, checksums, take_told(self._writer)

    def _enter_dir(self, relative: str) -> int:
        if relative != self._relative:
            self._leave_dir()
            self._dir_fd = open_dir_below(self._root_fd, relative)
            self._relative = relative
        return self._dir_fd

    def _leave_dir(self) -> None:
        if self._dir_fd != -1:
            os.close(self._dir_fd)
        self._dir_fd, self._relative = -1, None

    def _store(self, task: FileTask) -> Checksum:
        try:
            return self._store_named(task)
        except OSError as exc:
            if exc.errno in _NOT_WHAT_IT_WAS and not isinstance(exc.filename, KnownPath):
                raise ChangedWhileRead(os.path.join(self._path, task[0], task[1])) from exc
            if exc.errno == EPERM:
                # An object may not have the owner or mode that this very file has.
                exc.filename = None
            # Unless it is the repository that failed, this is the file that could not be read.
            name_error(exc, os.path.join(self._path, task[0], task[1]))
            raise
        except FormatError as exc:
            exc.put_first(printable(os.path.join(self._path, task[0], task[1])))
            raise

    def _store_named(self, task: FileTask) -> Checksum:
        relative, name, uid, gid, mode, inode, size, mtime_ns, xattrs, adopt = task
        dir_fd = self._enter_dir(relative)
        if stat.S_ISLNK(mode):
            return self._store_symlink(dir_fd, name, (uid, gid, mode), xattrs)
        fd = os.open(name, _OPEN_FILE, dir_fd=dir_fd)
        try:
            if (adopt or size > WHOLE_BYTES) and not stat.S_ISREG(os.fstat(fd).st_mode):
                # Read to its end below, and a device has none.
                raise ChangedWhileRead(os.path.join(self._path, relative, name))
            if xattrs is None:
                xattrs = self._read_xattrs(fd)
            header = FileHeader(uid, gid, mode, "", xattrs)
            if adopt:
                checksum = self._writer.adopt(header, fd)
            elif size <= WHOLE_BYTES:
                checksum = self._store_small(fd, header, size)
            else:
                checksum = self._writer.write_rereadable(header, size, lambda: read_chunks(fd))
            found = os.fstat(fd)
        except ChecksumMismatch as exc:
            raise ChangedWhileRead(os.path.join(self._path, relative, name)) from exc
        finally:
            os.close(fd)
        if (found.st_size, found.st_mtime_ns, found.st_ino) != (size, mtime_ns, inode) and not (
            adopt and (found.st_size, found.st_ino) == (size, inode)
        ):
            raise ChangedWhileRead(os.path.join(self._path, relative, name))
        return checksum

    def _read_xattrs(self, fd: int) -> Xattrs:
        if self._skip_xattrs:
            return ()
        pairs = xattr.read_xattrs(fd)
        return canonical_xattrs(pairs) if pairs else ()

    def _store_small(self, fd: int, header: FileHeader, size: int) -> Checksum:
        buffer = self._buffer
        got = os.readv(fd, (buffer[: size + 1],))
        while 0 < got < size:
            more = os.readv(fd, (buffer[got : size + 1],))
            if not more:
                break
            got += more
        # A file that is shorter or longer than it was is noticed by our caller.
        return self._writer.write_data(header, buffer[:got])

    def _store_symlink(
        self, dir_fd: int, name: str, owner: tuple[int, int, int], xattrs: Xattrs | None
    ) -> Checksum:
        target = os.readlink(name, dir_fd=dir_fd)
        if xattrs is None:
            xattrs = ()
            if not self._skip_xattrs:
                pairs = xattr.read_xattrs_at(name, dir_fd=dir_fd)
                xattrs = canonical_xattrs(pairs) if pairs else ()
        return self._writer.write_symlink(FileHeader(*owner, target, xattrs))
