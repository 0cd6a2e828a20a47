# SPDX-License-Identifier: Apache-2.0
"""Writing objects: hashed first, stored only if they are new, named only when they are whole.

An ``ObjectWriter`` holds no lock and can be used in a worker process; a transaction makes one
and gathers the counts of all of them.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from errno import EMLINK, EPERM, EXDEV
from typing import TYPE_CHECKING, cast

from ostrya._linux.atomic import open_spool, write_all
from ostrya._linux.dirfd import exists, read_chunks, unlink_if_exists
from ostrya._linux.naming import Below, name_error
from ostrya.formats.checksum import Checksum, checksum_of
from ostrya.formats.commit import SizeEntry
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo.config import Tristate
from ostrya.repo.content_hash import ContentHasher
from ostrya.repo.errors import ChecksumMismatch
from ostrya.repo.free_space import FreeSpace
from ostrya.repo.modes import TRAITS, RepoMode
from ostrya.repo.stores.base import WHOLE_BYTES, Destination
from ostrya.repo.stores.registry import make_store
from ostrya.repo.write_counts import WriteCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ostrya.formats.file_header import FileHeader
    from ostrya.repo.payload_links import PayloadLinks
    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.bare import BareStore

_CANNOT_LINK = (EMLINK, EXDEV, EPERM)


class ObjectWriter:
    """Writes objects of one repository into one directory.

    Attributes:
        counts: What was written so far.
        sizes: Size entries of the objects written, by name, or None if nobody wants them.
    """

    __slots__ = (
        "_archive", "_destination", "_free_space", "_hasher", "_payload_links", "_prefixes",
        "_read_failed", "_repo", "_resumes", "_store", "counts", "sizes",
    )  # fmt: skip

    def __init__(
        self, repo: Repository, fd: int, *, sync_each: bool, with_sizes: bool, resumes: bool = False
    ) -> None:
        """Prepare to write.

        Args:
            repo: Whose objects.
            fd: Where they are named: staging, or ``objects``.
            sync_each: Whether each is synced before it is named.
            with_sizes: Whether size entries are gathered.
            resumes: Whether there may be objects in ``fd`` that an earlier transaction left.
        """
        self._repo = repo
        self._resumes = resumes
        self._read_failed = False
        self._prefixes: dict[str, bool] = {}
        # Sizes become part of a commit: of the very bytes that libostree would write.
        self._store = make_store(repo.config, repo.runtime, as_zlib=with_sizes)
        self._archive = repo.mode == RepoMode.ARCHIVE
        self._destination = Destination(
            fd,
            scratch_fd=repo.tmp_fd,
            is_staging=fd == repo.staging_fd,
            sync_each=sync_each,
            sync_later=repo.config.fsync,
            fsverity=repo.config.fsverity,
        )
        self._hasher = ContentHasher()
        self._payload_links: PayloadLinks | None = None
        if repo.config.payload_link_threshold_bytes is not None and TRAITS[repo.mode].is_bare:
            from ostrya.repo.payload_links import PayloadLinks

            self._payload_links = PayloadLinks(repo, self._destination)
        self._free_space = FreeSpace(repo, fd)
        self.counts = WriteCounts()
        self.sizes: dict[str, SizeEntry] | None = {} if with_sizes else None

    @property
    def destination(self) -> Destination:
        """Where objects get their names."""
        return self._destination

    # -- metadata

    def write_metadata(
        self, kind: ObjectType, data: bytes, expected: Checksum | None = None
    ) -> Checksum:
        """Store a metadata object and return its name.

        Raises:
            ChecksumMismatch: It does not hash to ``expected``.
        """
        checksum = checksum_of(data)
        if expected is not None and checksum != expected:
            raise ChecksumMismatch(ObjectName(expected, kind), checksum)
        self.store_metadata(ObjectName(checksum, kind), data)
        return checksum

    def store_metadata(self, name: ObjectName, data: bytes) -> None:
        """Store a metadata object whose name is known, or is not its hash (a tombstone)."""
        self.counts.metadata_total += 1
        if self.sizes is not None:
            self.sizes.setdefault(
                str(name), SizeEntry(name.checksum, name.type, len(data), len(data))
            )
        path = loose_path(name, archive=self._archive)
        try:
            if self.has(path):
                return
            with self._destination.begin(path, 0o644) as tmp:
                write_all(tmp.fd, data)
                os.fchmod(tmp.fd, 0o644)
                if self._destination.publish(tmp, path):
                    self.counts.metadata_written += 1
        except OSError as exc:
            self._name(exc, path)
            raise
        if name.type == ObjectType.COMMIT and self._destination.fd == self._repo.objects_fd:
            # Deleted before and now here again: the tombstone is no longer true.
            tombstone = ObjectName(name.checksum, ObjectType.TOMBSTONE_COMMIT)
            unlink_if_exists(loose_path(tombstone, archive=False), dir_fd=self._repo.objects_fd)

    # -- content

    def write_data(
        self,
        header: FileHeader,
        data: bytes | memoryview,
        expected: Checksum | None = None,
        *,
        known_absent: bool = False,
        unseen: bool = False,
    ) -> Checksum:
        """Store a regular file held in memory and return its name.

        ``known_absent`` saves looking for it once more, ``unseen`` hashing what is expected.

        Raises:
            ChecksumMismatch: It does not hash to ``expected``.
            LowSpace: The repository would be left with too little free space.
        """
        if expected is None or not unseen:
            hasher = self._hasher.begin(header)
            hasher.update(data)
            expected = self._checked(hasher, expected)
        checksum = expected
        self.counts.content_total += 1
        path = self._store.path_of(checksum)
        if not known_absent and self.has(path):
            self._note_existing(checksum, path, len(data))
            return checksum
        self._free_space.require(len(data))
        links = self._payload_links
        try:
            if links is not None and links.wants(len(data)):
                stored = links.put(cast("BareStore", self._store), checksum, header, data)
            else:
                stored = self._store.put(self._destination, checksum, header, data)
        except OSError as exc:
            self._name(exc, path)
            raise
        self._note_new(checksum, len(data), stored)
        return checksum

    def write_rereadable(
        self, header: FileHeader, size: int, read_chunks: Callable[[], Iterable[bytes]]
    ) -> Checksum:
        """Store a regular file that can be read twice, and return its name.

        It is hashed first, so that a file that is already there is never written; hashed again
        while it is written, so that a file that changes in between is noticed.

        Raises:
            ChecksumMismatch: The two readings differ.
            LowSpace: The repository would be left with too little free space.
        """
        hasher = self._hasher.begin(header)
        found = 0
        for chunk in read_chunks():
            hasher.update(chunk)
            found += len(chunk)
        # An archive's header holds the size, its checksum does not: only what was read counts.
        size = found
        checksum = Checksum(hasher.hexdigest())
        self.counts.content_total += 1
        path = self._store.path_of(checksum)
        if self.has(path):
            self._note_existing(checksum, path, size)
            return checksum
        self._free_space.require(size)
        again = self._verified(self._hasher.begin(header), checksum, read_chunks())
        stored = self._put_chunks(checksum, header, size, again)
        self._note_new(checksum, size, stored)
        return checksum

    def write_stream(
        self,
        header: FileHeader,
        size: int,
        chunks: Iterable[bytes],
        expected: Checksum | None = None,
        *,
        whole_bytes: int = WHOLE_BYTES,
        unseen: bool = False,
    ) -> Checksum:
        """Store a regular file that can be read only once, and return its name.

        Without ``expected``, large content is spooled to an unnamed file in the repository.
        Content of up to ``whole_bytes`` is held in memory. ``unseen`` saves hashing what is
        expected.

        Raises:
            ChecksumMismatch: It does not hash to ``expected``.
            LowSpace: The repository would be left with too little free space.
        """
        if expected is not None and size > whole_bytes:
            self.counts.content_total += 1
            self._free_space.require(size)
            if not unseen:
                chunks = self._verified(self._hasher.begin(header), expected, chunks)
            self._note_new(expected, size, self._put_chunks(expected, header, size, chunks))
            return expected
        if size <= whole_bytes:
            return self.write_data(header, b"".join(chunks), expected)
        return self._write_spooled(header, size, chunks)

    def _write_spooled(self, header: FileHeader, size: int, chunks: Iterable[bytes]) -> Checksum:
        self._free_space.require(size)
        in_tmp = Below(os.path.join(self._repo.path, "tmp"))
        with in_tmp:
            spool_fd = open_spool(self._destination.scratch_fd)
        try:
            for chunk in chunks:
                with in_tmp:
                    write_all(spool_fd, chunk)
            return self.write_rereadable(header, size, lambda: read_chunks(spool_fd))
        finally:
            os.close(spool_fd)

    def _put_chunks(
        self, checksum: Checksum, header: FileHeader, size: int, chunks: Iterable[bytes]
    ) -> int | None:
        links = self._payload_links
        self._read_failed = False
        try:
            if links is not None and links.wants(size):
                store = cast("BareStore", self._store)
                return links.put_chunks(store, checksum, header, size, chunks)
            return self._store.put_chunks(self._destination, checksum, header, size, chunks)
        except OSError as exc:
            if not self._read_failed:
                self._name(exc, self._store.path_of(checksum))
            raise

    def link_payload(self, checksum: Checksum) -> None:
        """Let others share the blocks of an object that came here as it is."""
        if self._payload_links is not None:
            self._payload_links.add(checksum)

    def adopt(self, header: FileHeader, fd: int) -> Checksum:
        """Let an open regular file become its object by a hard link, and return the name.

        The caller gives the file up: it must not be written to any more, and its mode and time
        are changed to an object's. Where links are impossible it is copied, and where the kernel
        seals objects: whoever has it open for writing would be in the way.
        """
        if self._destination.fsverity != Tristate.NO:
            return self.write_rereadable(header, os.fstat(fd).st_size, lambda: read_chunks(fd))
        hasher = self._hasher.begin(header)
        size = 0
        for chunk in read_chunks(fd):
            hasher.update(chunk)
            size += len(chunk)
        checksum = Checksum(hasher.hexdigest())
        self.counts.content_total += 1
        path = self._store.path_of(checksum)
        if not self.has(path):
            os.fchmod(fd, stat.S_IMODE(header.mode))
            os.utime(fd, ns=(time.time_ns(), 0))
            try:
                is_new = self._destination.publish_file(fd, path)
            except OSError as exc:
                if exc.errno not in _CANNOT_LINK:
                    self._name(exc, path)
                    raise
                self.counts.content_total -= 1
                return self.write_rereadable(header, size, lambda: read_chunks(fd))
            self._note_new(checksum, size, size if is_new else None)
        return checksum

    def write_symlink(self, header: FileHeader, expected: Checksum | None = None) -> Checksum:
        """Store a symbolic link and return its name.

        Raises:
            ChecksumMismatch: It does not hash to ``expected``.
        """
        checksum = self._checked(hashlib.sha256(header.encode_stream()), expected)
        self.counts.content_total += 1
        path = self._store.path_of(checksum)
        target_size = len(header.symlink_target.encode())
        if self.has(path):
            self._note_existing(checksum, path, target_size)
            return checksum
        try:
            stored = self._store.put_symlink(self._destination, checksum, header)
        except OSError as exc:
            self._name(exc, path)
            raise
        self._note_new(checksum, 0, stored, unpacked=target_size)
        return checksum

    # -- parts

    def has(self, path: str) -> bool:
        """Say whether this very repository, or the transaction, has a loose object."""
        destination = self._destination
        try:
            if exists(path, dir_fd=self._repo.objects_fd):
                return True
            return destination.is_staging and destination.has(path)
        except OSError as exc:
            self._name(exc, path)
            raise

    def had(self, path: str) -> bool:
        """Say whether a loose object was there before this transaction began to write."""
        if self._resumes:
            return self.has(path)
        objects_fd = self._repo.objects_fd
        prefix = path[:2]
        occupied = self._prefixes.get(prefix)
        if occupied is None:
            occupied = self._prefixes[prefix] = exists(prefix, dir_fd=objects_fd)
        return occupied and exists(path, dir_fd=objects_fd)

    def _name(self, exc: OSError, path: str) -> None:
        """Let an error be about the object that could not be stored, wherever it was made."""
        name_error(exc, f"{self._repo.path}/objects/{path}")

    @staticmethod
    def _checked(hasher: hashlib._Hash, expected: Checksum | None) -> Checksum:
        checksum = Checksum(hasher.hexdigest())
        if expected is not None and checksum != expected:
            raise ChecksumMismatch(ObjectName(expected, ObjectType.FILE), checksum)
        return checksum

    def _verified(
        self, hasher: hashlib._Hash, expected: Checksum, chunks: Iterable[bytes]
    ) -> Iterator[bytes]:
        try:
            for chunk in chunks:
                hasher.update(chunk)
                yield chunk
        except OSError:
            # What happens to a chunk is not seen here: only to read one can fail.
            self._read_failed = True
            raise
        self._checked(hasher, expected)

    def _note_existing(self, checksum: Checksum, path: str, unpacked: int) -> None:
        if self.sizes is None or checksum in self.sizes:
            return
        try:
            found = os.stat(path, dir_fd=self._repo.objects_fd, follow_symlinks=False)
        except FileNotFoundError:
            found = self._destination.stat(path)
        self.sizes[checksum] = SizeEntry(checksum, ObjectType.FILE, unpacked, found.st_size)

    def _note_new(
        self, checksum: Checksum, size: int, stored: int | None, *, unpacked: int | None = None
    ) -> None:
        """Count an object that was stored; None of its bytes if another worker was quicker."""
        if stored is None:
            return
        self.counts.content_written += 1
        self.counts.content_bytes_written += size
        if self.sizes is not None:
            weight = size if unpacked is None else unpacked
            self.sizes[checksum] = SizeEntry(checksum, ObjectType.FILE, weight, stored)
