# SPDX-License-Identifier: Apache-2.0
"""Images that are files, as they arrive: whole under their names, or not there."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import TmpFile, write_all
from ostrya._linux.dirfd import open_dir
from ostrya.fleet.errors import Conflict

if TYPE_CHECKING:
    from ostrya.fleet.domain.image_repository import ImageRepository


class Upload:
    """An image that is arriving.

    Attributes:
        path: Where it will lie.
        size: How many bytes came.
    """

    def __init__(self, images: ImageRepository, name: str) -> None:
        """Begin.

        Raises:
            NotFound: Nothing may have that name.
        """
        self.path = images.image_path(name)
        self.size = 0
        self._name = name
        self._images = images
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self._dir_fd = open_dir(os.path.dirname(self.path), follow=True)
        self._hash = hashlib.sha256()
        self._tmp = TmpFile(self._dir_fd, 0o644)

    def write(self, data: bytes) -> None:
        """Take more of it."""
        self._hash.update(data)
        self.size += len(data)
        write_all(self._tmp.fd, data)

    @property
    def sha256(self) -> str:
        """The digest of what came."""
        return self._hash.hexdigest()

    def keep(self) -> None:
        """Give it its name; it survives a power cut.

        Raises:
            Conflict: Another image of that name is published.
        """
        published = self._images.all_images().get(self._name)
        if published is not None and published.hashes.get("sha256", "").lower() != self.sha256:
            raise Conflict(
                f"another image {self._name} is published",
                code="target_exists",
                hint="a name stands for one image for ever; put the version into it",
            )
        os.fsync(self._tmp.fd)
        self._tmp.replace(os.path.basename(self.path), dir_fd=self._dir_fd)
        os.fsync(self._dir_fd)

    def close(self) -> None:
        """Forget what was not kept."""
        self._tmp.close()
        os.close(self._dir_fd)
