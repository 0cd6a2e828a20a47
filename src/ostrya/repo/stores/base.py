# SPDX-License-Identifier: Apache-2.0
"""What every content store offers, and what it works with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from ostrya._linux.atomic import TmpFile, temporary_name, write_all
from ostrya._linux.dirfd import OPEN_FILE, ensure_dir, exists
from ostrya.errors import RepoError
from ostrya.repo.config import Tristate
from ostrya.repo.staged import staged_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.file_header import FileHeader

CHUNK_BYTES = 1 << 20
# Up to this size, content is handled whole, in memory.
WHOLE_BYTES = 16 << 20
# Below this size, asking for a file's write-back costs more than it brings.
_EARLY_WRITEBACK_BYTES = 64 * 1024


class FileObject:
    """One content object, opened: its header, and its content as often as it is asked for.

    Attributes:
        header: Owner, mode, link target, extended attributes.
        size: Bytes of content; 0 for a symbolic link.
        stored_size: Bytes that the object takes in the repository.
        content_fd: For stores that keep content as it is, an open file of it; else -1.
    """

    __slots__ = ("content_fd", "header", "size", "stored_size")

    def __init__(
        self, header: FileHeader, size: int = 0, stored_size: int = 0, content_fd: int = -1
    ) -> None:
        self.header = header
        self.size = size
        self.stored_size = stored_size
        self.content_fd = content_fd

    @property
    def is_plain(self) -> bool:
        """Whether ``content_fd`` is a file that holds the content as it is."""
        return self.content_fd != -1

    def read(self) -> bytes:
        """Return the whole content."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in pieces of bounded size."""
        offset = 0
        while offset < self.size:
            data = os.pread(self.content_fd, CHUNK_BYTES, offset)
            if not data:
                break
            offset += len(data)
            yield data

    def close(self) -> None:
        """Close what was opened."""
        if self.content_fd != -1:
            os.close(self.content_fd)
            self.content_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def seal_file(tmp: TmpFile, wanted: Tristate) -> bool:
    """Let the kernel seal a finished file; False if it is not wanted, or not possible.

    Raises:
        RepoError: It is required, and the file system cannot.
    """
    if wanted == Tristate.NO:
        return False
    from ostrya._linux.fsverity import try_enable

    tmp.reopen_read_only()
    if try_enable(tmp.fd):
        return True
    if wanted == Tristate.YES:
        raise RepoError(
            "fsverity required but filesystem does not support it",
            hint="set ex-integrity.fsverity to maybe, or use a file system with fs-verity",
        )
    return False


class Destination:
    """Where new objects get their names.

    Attributes:
        scratch_fd: For what needs a name before it may have its own; cleaned of old leftovers.
        is_staging: Whether that is a staging directory, and not ``objects`` itself.
        sync_each: Whether every object is synced by itself before it gets its name.
        fsverity: Whether the kernel seals every object before it gets its name.
    """

    __slots__ = (
        "_fd",
        "_folders",
        "_start_writeback",
        "fsverity",
        "is_staging",
        "scratch_fd",
        "sync_each",
    )

    def __init__(
        self,
        fd: int,
        *,
        scratch_fd: int,
        sync_each: bool,
        is_staging: bool = False,
        sync_later: bool = False,
        fsverity: Tristate = Tristate.NO,
    ) -> None:
        """Prepare to take objects; the attributes say where and how.

        With ``sync_later`` all objects will be waited for in the end: the disk then begins with
        each at once, while others are still being made.
        """
        self._fd = fd
        self.scratch_fd = scratch_fd
        self.is_staging = is_staging
        self.sync_each = sync_each
        self.fsverity = fsverity
        self._folders: set[str] = set()
        self._start_writeback: Callable[[int], None] | None = None
        if sync_later and not sync_each:
            from ostrya._linux.durability import start_writeback

            self._start_writeback = start_writeback

    @property
    def fd(self) -> int:
        """``objects``, or the staging directory of a transaction.

        Raises:
            RepoError: The transaction is over.
        """
        if self._fd == -1:
            raise RepoError("the transaction that this writer belongs to is over")
        return self._fd

    def close(self) -> None:
        """Take no more objects: the descriptor may mean another directory from now on."""
        self._fd = -1
        self._folders.clear()

    def begin(self, path: str, mode: int = 0o600) -> TmpFile:
        """Begin the file of an object whose loose path is known."""
        if self.is_staging:
            # One directory for all: file systems place a file near the one that it begins in, and
            # thousands that are scattered over a disk are slow to begin and to read again.
            return TmpFile(self.fd, mode)
        return TmpFile(self.fd, mode, where=self._place_of(path).partition("/")[0])

    def write_chunks(self, tmp: TmpFile, chunks: Iterable[bytes]) -> int:
        """Write content that comes in pieces, and return how many bytes it has."""
        size = 0
        for chunk in chunks:
            write_all(tmp.fd, chunk)
            size += len(chunk)
            if self._start_writeback is not None:
                self._start_writeback(tmp.fd)
        return size

    def publish(self, tmp: TmpFile, path: str, size: int = 0) -> bool:
        """Name a finished file of ``size`` bytes; False if an object of that name was there."""
        if self.sync_each:
            os.fsync(tmp.fd)
        elif size >= _EARLY_WRITEBACK_BYTES and self._start_writeback is not None:
            self._start_writeback(tmp.fd)
        if self.fsverity != Tristate.NO and not seal_file(tmp, self.fsverity):
            # The file system will not support it for the next object either.
            self.fsverity = Tristate.NO
        try:
            tmp.link(self._place_of(path), dir_fd=self.fd)
        except FileExistsError:
            return False
        return True

    def publish_file(self, fd: int, path: str) -> bool:
        """Give an open file that has a name elsewhere its name here; False if that is taken."""
        place = self._place_of(path)
        if self.sync_each:
            os.fsync(fd)
        try:
            # By descriptor: the name it was opened by may be another file's by now.
            os.link(f"/proc/self/fd/{fd}", place, dst_dir_fd=self.fd, follow_symlinks=True)
        except FileExistsError:
            return False
        return True

    def publish_link(self, path: str, *, source_fd: int) -> bool:
        """Link the same loose path of another repository; False if that is taken."""
        place = self._place_of(path)
        try:
            os.link(path, place, src_dir_fd=source_fd, dst_dir_fd=self.fd, follow_symlinks=False)
        except FileExistsError:
            return False
        return True

    def publish_scratch(self, name: str, path: str) -> None:
        """Move what is finished from the scratch directory to its name, whoever had that."""
        place = self._place_of(path)
        os.rename(name, place, src_dir_fd=self.scratch_fd, dst_dir_fd=self.fd)

    def publish_symlink(self, target: str, path: str) -> bool:
        """Name a symbolic link; False if an object of that name was there already."""
        place = self._place_of(path)
        if self.is_staging:
            # Begun in the same directory as files, for the same reason.
            return self._move_symlink(target, place)
        try:
            os.symlink(target, place, dir_fd=self.fd)
        except FileExistsError:
            return False
        return True

    def _move_symlink(self, target: str, place: str) -> bool:
        from ostrya._linux.rename import rename_new

        temporary = temporary_name()
        os.symlink(target, temporary, dir_fd=self.fd)
        is_new = False
        try:
            is_new = rename_new(temporary, place, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        finally:
            if not is_new:
                os.unlink(temporary, dir_fd=self.fd)
        return is_new

    def has(self, path: str) -> bool:
        """Say whether there is an object of that loose path here."""
        return exists(self.path_of(path), dir_fd=self.fd)

    def stat(self, path: str) -> os.stat_result:
        """Return what the object of a loose path is, as a file.

        Raises:
            FileNotFoundError: It is not here.
        """
        return os.stat(self.path_of(path), dir_fd=self.fd, follow_symlinks=False)

    def open(self, path: str) -> int:
        """Open the object of a loose path for reading; the caller closes it."""
        return os.open(self.path_of(path), OPEN_FILE, dir_fd=self.fd)

    def path_of(self, path: str) -> str:
        """Return where below ``fd`` the object of a loose path is."""
        return staged_path(path) if self.is_staging else path

    def _place_of(self, path: str) -> str:
        """Return where an object of a loose path goes, in a directory that is there."""
        place = self.path_of(path)
        folder = place.partition("/")[0]
        if folder not in self._folders:
            ensure_dir(folder, dir_fd=self.fd)
            self._folders.add(folder)
        return place


class ContentStore(Protocol):
    """Stores content objects the way one repository mode does."""

    def path_of(self, checksum: Checksum) -> str:
        """Return the loose path of a content object, ``ab/cdef….file``."""

    def load(self, dir_fd: int, path: str, checksum: Checksum) -> FileObject:
        """Open a content object, which is at ``path`` below a directory.

        Raises:
            FileNotFoundError: It is not there.
            FormatError: It is there, and not what this mode stores.
        """

    def put(
        self,
        destination: Destination,
        checksum: Checksum,
        header: FileHeader,
        data: bytes | memoryview,
    ) -> int | None:
        """Store a regular file held in memory, and return the bytes that it takes.

        None says that it was there already.
        """

    def put_chunks(
        self,
        destination: Destination,
        checksum: Checksum,
        header: FileHeader,
        size: int,
        chunks: Iterable[bytes],
    ) -> int | None:
        """Store a regular file that comes in pieces, and return the bytes that it takes.

        None says that it was there already.

        The pieces are trusted to be those that ``checksum`` was computed from; an exception
        raised while iterating over them leaves nothing behind.
        """

    def put_symlink(
        self, destination: Destination, checksum: Checksum, header: FileHeader
    ) -> int | None:
        """Store a symbolic link, and return the bytes that it takes.

        None says that it was there already.
        """
