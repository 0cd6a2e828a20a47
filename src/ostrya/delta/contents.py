# SPDX-License-Identifier: Apache-2.0
"""Contents and patches of the search for matches: in memory, or mapped where they are large."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import open_spool, write_all
from ostrya.repo.reader import content_chunks

if TYPE_CHECKING:
    from typing import Self

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.base import FileObject


class Content:
    """The content of one file.

    Attributes:
        data: All of it.
    """

    __slots__ = ("_map", "data")

    def __init__(
        self, repo: Repository, checksum: Checksum, file: FileObject, *, spill: int, spool_fd: int
    ) -> None:
        """Load a content.

        Args:
            repo: Where it is from.
            checksum: Its object.
            file: That, opened.
            spill: From this size on it is written to a file without a name, and mapped.
            spool_fd: The directory of that file.
        """
        self._map: mmap.mmap | None = None
        if file.size < max(spill, 1):
            self.data: memoryview = memoryview(b"".join(content_chunks(repo, checksum, file)))
            return
        fd = open_spool(spool_fd)
        try:
            for chunk in content_chunks(repo, checksum, file):
                write_all(fd, chunk)
            self._map = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(fd)
        self.data = memoryview(self._map)

    def close(self) -> None:
        """Let go of it."""
        self.data.release()
        if self._map is not None:
            self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class SpooledPatch:
    """A file without a name that a patch is written to.

    Attributes:
        fd: The file.
    """

    __slots__ = ("fd",)

    def __init__(self, spool_fd: int) -> None:
        """Open it in this directory."""
        self.fd = open_spool(spool_fd)

    def map(self, size: int) -> bytes | memoryview:
        """Return what was written; it stays when the file is closed."""
        # What is empty cannot be mapped.
        return memoryview(mmap.mmap(self.fd, size, access=mmap.ACCESS_READ)) if size else b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self.fd)
