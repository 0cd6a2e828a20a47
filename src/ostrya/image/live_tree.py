# SPDX-License-Identifier: Apache-2.0
"""The files of the device itself, by the paths that it has; see `customize.places.DeviceTree`.

Every file is whole or as it was before, whenever power fails.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import remove_tree
from ostrya.image.customize.places import ROOT, Owner
from ostrya.image.errors import SourceError
from ostrya.image.tree import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable


class LiveTree:
    """Files below a directory, mostly ``/``."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def _path(self, path: str) -> str:
        return f"{self._root}/{path.strip('/')}"

    def is_file(self, path: str) -> bool:
        """Say whether a regular file is there, or a link to one."""
        return os.path.isfile(self._path(path))

    def is_dir(self, path: str) -> bool:
        """Say whether a directory is there, or a link to one."""
        return os.path.isdir(self._path(path))

    def exists(self, path: str) -> bool:
        """Say whether there is anything, were it a link that leads nowhere."""
        return os.path.lexists(self._path(path))

    def names(self, path: str) -> list[str]:
        """List a directory by name; empty if it is none."""
        return sorted(os.listdir(self._path(path))) if self.is_dir(path) else []

    def link_target(self, path: str) -> str | None:
        """Return where a link leads; None if there is none."""
        try:
            return os.readlink(self._path(path))
        except OSError:
            return None

    def real(self, path: str) -> str:
        """Return where a path leads, without links and without the first slash."""
        return os.path.relpath(os.path.realpath(self._path(path)), self._root or "/")

    def read(self, path: str, *, max_bytes: int = MAX_TEXT_BYTES) -> bytes:
        """Read a file that is there.

        Raises:
            SourceError: It is too large for what it should be.
            OSError: It cannot be read.
        """
        with open(self._path(path), "rb") as stream:
            data = stream.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise SourceError(f"{path} is too large")
        return data

    def read_text(self, path: str) -> str:
        """Read a file; empty if there is none."""
        if not self.is_file(path):
            return ""
        return self.read(path).decode("utf-8", "surrogateescape")

    def write(self, path: str, data: bytes | str, owner: Owner = ROOT) -> None:
        """Write a file; one that is there keeps its owner and mode if none are given."""
        content = data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")
        real = os.path.realpath(self._path(path))
        folder, name = os.path.split(real)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        if owner == ROOT and os.path.isfile(real):
            found = os.stat(real)
            owner = Owner(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))
        mode = 0o644 if owner.mode is None else owner.mode
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # Nobody else sees what is in it before it is theirs.
            replace_file(name, content, dir_fd=fd, mode=0o600)
            os.chown(name, owner.uid, owner.gid, dir_fd=fd, follow_symlinks=False)
            os.chmod(name, mode, dir_fd=fd)
        finally:
            os.close(fd)

    def link(self, path: str, target: str, owner: Owner = ROOT) -> None:
        """Make a symbolic link, in place of what is there unless that is a directory."""
        place = self._path(path)
        os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
        if os.path.lexists(place):
            os.unlink(place)
        os.symlink(target, place)
        os.chown(place, owner.uid, owner.gid, follow_symlinks=False)

    def make_dir(self, path: str, owner: Owner = ROOT) -> None:
        """Make a directory; one that is there gets owner and mode, if these are given."""
        place = os.path.realpath(self._path(path))
        there = os.path.isdir(place)
        os.makedirs(place, mode=0o755, exist_ok=True)
        if not there or owner != ROOT:
            os.chown(place, owner.uid, owner.gid)
            os.chmod(place, 0o755 if owner.mode is None else owner.mode)

    def remove(self, path: str) -> bool:
        """Remove what is there, with all in it; say whether it was there."""
        place = self._path(path)
        if not os.path.lexists(place):
            return False
        remove_tree(place)
        return True

    def append_lines(self, path: str, lines: Iterable[str]) -> None:
        """Write lines at the end of a file."""
        text = self.read_text(path)
        if text and not text.endswith("\n"):
            text += "\n"
        self.write(path, text + "".join(f"{line}\n" for line in lines))
