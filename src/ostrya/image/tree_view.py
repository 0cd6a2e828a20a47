# SPDX-License-Identifier: Apache-2.0
"""A tree that is being assembled, read as the builder of ramdisks reads a root file system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.tree_files import TreeFiles
from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from ostrya.image.tree import TreeEditor

_MAX_BYTES = 1 << 30


class EditedTreeFiles(TreeFiles):
    """Files of a `TreeEditor`; nothing of them has to be on the disk."""

    def __init__(self, editor: TreeEditor) -> None:
        """Look at a tree, as it is whenever something is asked for."""
        super().__init__(-1)
        self._editor = editor

    def read(self, path: str) -> bytes:
        """Read a file.

        Raises:
            InitramfsError: It is not there, or greater than a gigabyte.
        """
        real = self.find_file(path)
        if real is None:
            raise InitramfsError(f"the tree has no file /{path}")
        try:
            return self._editor.read(real, max_bytes=_MAX_BYTES)
        except SourceError as exc:
            raise InitramfsError(f"/{path} is too large for a ramdisk") from exc

    def names(self, path: str) -> list[str]:
        """List a directory in the order of its names; empty if it is none."""
        return self._editor.names(self.resolve(path))

    def find_file(self, path: str) -> str | None:
        """Return where a regular file really is; None if there is none."""
        real = self.resolve(path)
        return real if self._editor.is_file(real) else None

    def find_dir(self, path: str) -> str | None:
        """Return where a directory really is; None if there is none."""
        real = self.resolve(path)
        return None if self._editor.find_dir(real) is None else real

    def _read_link(self, path: str) -> str | None:
        return self._editor.link_target(path)
