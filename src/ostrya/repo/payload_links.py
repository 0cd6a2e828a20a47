# SPDX-License-Identifier: Apache-2.0
"""Payload links: equal content under different ownership shares its blocks.

::

    objects/12/3456….payload-link -> ../ab/cdef….file     named by the content's own SHA-256

Only on file systems that can clone, for files from ``core.payload-link-threshold`` on.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ostrya._linux import reflink
from ostrya._linux.atomic import TmpFile
from ostrya._linux.dirfd import OPEN_FILE
from ostrya.formats.checksum import is_checksum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.file_header import FileHeader
    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.bare import BareStore
    from ostrya.repo.stores.base import Destination

_TARGET_PREFIX = "../"


class PayloadLinks:
    """Finds and makes the payload links of one repository."""

    __slots__ = ("_destination", "_repo", "_supported", "_threshold_bytes")

    def __init__(self, repo: Repository, destination: Destination) -> None:
        self._repo = repo
        self._destination = destination
        self._threshold_bytes = repo.config.payload_link_threshold_bytes or 0
        self._supported: bool | None = None

    def wants(self, size: int) -> bool:
        """Say whether a file of so many bytes is to have a payload link, and can."""
        return size >= self._threshold_bytes and self._can_clone()

    def put(
        self, store: BareStore, checksum: Checksum, header: FileHeader, data: bytes | memoryview
    ) -> int | None:
        """Store a regular file held in memory, as the store itself would."""
        payload = hashlib.sha256(data).hexdigest()
        with self._twin(payload, len(data)) as twin_fd:
            if twin_fd != -1:
                store.check(header, checksum)
                with self._destination.begin(_file_path(checksum)) as tmp:
                    if reflink.try_clone(twin_fd, tmp.fd):
                        is_new = store.put_tmpfile(self._destination, checksum, header, tmp)
                        return len(data) if is_new else None
            stored = store.put(self._destination, checksum, header, data)
            if twin_fd == -1:
                self._link(payload, checksum)
        return stored

    def put_chunks(
        self,
        store: BareStore,
        checksum: Checksum,
        header: FileHeader,
        size: int,
        chunks: Iterable[bytes],
    ) -> int | None:
        """Store a regular file that comes in pieces, as the store itself would."""
        store.check(header, checksum)
        hasher = hashlib.sha256()
        with self._destination.begin(_file_path(checksum)) as tmp:
            self._destination.write_chunks(tmp, _hashed(chunks, hasher))
            payload = hasher.hexdigest()
            # Whose twin it is shows only now; the blocks just written are let go.
            with self._twin(payload, size) as twin_fd:
                if twin_fd != -1:
                    reflink.try_clone(twin_fd, tmp.fd)
            is_new = store.put_tmpfile(self._destination, checksum, header, tmp)
        if twin_fd == -1:
            self._link(payload, checksum)
        return size if is_new else None

    def add(self, checksum: Checksum) -> None:
        """Make the payload link of an object that is there already."""
        try:
            fd = self._destination.open(_file_path(checksum))
        except OSError:
            # A symbolic link.
            return
        with os.fdopen(fd, "rb") as stream:
            size = os.fstat(fd).st_size
            if not self.wants(size):
                return
            payload = hashlib.file_digest(stream, "sha256").hexdigest()
        with self._twin(payload, size) as twin_fd:
            if twin_fd == -1:
                self._link(payload, checksum)

    def _can_clone(self) -> bool:
        if self._supported is None:
            config_fd = os.open("config", OPEN_FILE, dir_fd=self._repo.dir_fd)
            try:
                with TmpFile(self._destination.fd) as tmp:
                    self._supported = reflink.try_clone(config_fd, tmp.fd)
            finally:
                os.close(config_fd)
        return self._supported

    @contextmanager
    def _twin(self, payload: str, size: int) -> Iterator[int]:
        """Open an object of the same content; -1 if there is none."""
        fd = self._open_twin(payload)
        try:
            # One that was cut short is nobody's twin.
            yield fd if fd != -1 and os.fstat(fd).st_size == size else -1
        finally:
            if fd != -1:
                os.close(fd)

    def _open_twin(self, payload: str) -> int:
        """Open an object of the same content; -1 if there is none. Links to nothing are removed."""
        path = f"{payload[:2]}/{payload[2:]}.payload-link"
        objects_fd = self._repo.objects_fd
        for place in (self._destination.fd, objects_fd):
            with suppress(FileNotFoundError):
                target = os.readlink(path, dir_fd=place)
                twin = target.removeprefix(_TARGET_PREFIX).removesuffix(".file")
                if not is_checksum(twin.replace("/", "", 1)):
                    continue
                for place_of_twin in (place, objects_fd):
                    with suppress(FileNotFoundError):
                        return os.open(f"{twin}.file", OPEN_FILE, dir_fd=place_of_twin)
                os.unlink(path, dir_fd=place)
        return -1

    def _link(self, payload: str, checksum: Checksum) -> None:
        self._destination.publish_symlink(
            f"{_TARGET_PREFIX}{_file_path(checksum)}", f"{payload[:2]}/{payload[2:]}.payload-link"
        )


def _file_path(checksum: Checksum) -> str:
    return f"{checksum[:2]}/{checksum[2:]}.file"


def _hashed(chunks: Iterable[bytes], hasher: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        hasher.update(chunk)
        yield chunk
