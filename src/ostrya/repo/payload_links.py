# SPDX-License-Identifier: Apache-2.0
"""Payload links: equal content under different ownership shares its blocks.

::

    objects/12/3456….payload-link -> ../ab/cdef….file     named by the content's own SHA-256

Only on file systems that can clone, for files from ``core.payload-link-threshold`` on.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from ostrya._linux import reflink
from ostrya._linux.atomic import TmpFile
from ostrya._linux.dirfd import OPEN_FILE
from ostrya.formats.checksum import is_checksum

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.file_header import FileHeader
    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.bare import BareStore
    from ostrya.repo.stores.base import ContentStore, Destination

_TARGET_PREFIX = "../"


class PayloadLinks:
    """Finds and makes the payload links of one repository."""

    __slots__ = ("_destination", "_repo", "_supported", "_threshold_bytes")

    def __init__(self, repo: Repository, destination: Destination) -> None:
        self._repo = repo
        self._destination = destination
        self._threshold_bytes = repo.config.payload_link_threshold_bytes or 0
        self._supported: bool | None = None

    def put(
        self,
        store: ContentStore,
        checksum: Checksum,
        header: FileHeader,
        data: bytes | memoryview,
    ) -> bool:
        """Store a file through its payload link; False leaves it to the store itself."""
        if len(data) < self._threshold_bytes or not self._can_clone():
            return False
        payload = hashlib.sha256(data).hexdigest()
        twin_fd = self._open_twin(payload)
        if twin_fd == -1:
            store.put(self._destination, checksum, header, data)
            self._link(payload, checksum)
            return True
        try:
            return self._put_clone(store, checksum, header, twin_fd)
        finally:
            os.close(twin_fd)

    def _put_clone(
        self, store: ContentStore, checksum: Checksum, header: FileHeader, twin_fd: int
    ) -> bool:
        clone_store = cast("BareStore", store)
        with self._destination.begin(checksum) as tmp:
            if not reflink.try_clone(twin_fd, tmp.fd):
                return False
            clone_store.put_tmpfile(self._destination, checksum, header, tmp)
        return True

    def _can_clone(self) -> bool:
        if self._supported is None:
            config_fd = os.open("config", OPEN_FILE, dir_fd=self._repo.dir_fd)
            try:
                with TmpFile(self._destination.fd) as tmp:
                    self._supported = reflink.try_clone(config_fd, tmp.fd)
            finally:
                os.close(config_fd)
        return self._supported

    def _open_twin(self, payload: str) -> int:
        """Open an object of the same content; -1 if there is none. Links to nothing are removed."""
        path = f"{payload[:2]}/{payload[2:]}.payload-link"
        for fd in (self._destination.fd, self._repo.objects_fd):
            with suppress(FileNotFoundError):
                target = os.readlink(path, dir_fd=fd)
                twin = target.removeprefix(_TARGET_PREFIX).removesuffix(".file")
                if not is_checksum(twin.replace("/", "", 1)):
                    continue
                for place in (fd, self._repo.objects_fd):
                    with suppress(FileNotFoundError):
                        return os.open(twin + ".file", OPEN_FILE, dir_fd=place)
                os.unlink(path, dir_fd=fd)
        return -1

    def _link(self, payload: str, checksum: Checksum) -> None:
        self._destination.publish_symlink(
            f"{_TARGET_PREFIX}{checksum[:2]}/{checksum[2:]}.file",
            f"{payload[:2]}/{payload[2:]}.payload-link",
        )
