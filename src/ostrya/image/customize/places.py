# SPDX-License-Identifier: Apache-2.0
"""Paths as the device has them, in the tree that is being made.

There ``/etc`` is ``/usr/etc``, and links such as ``/home`` lead to where things really are.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Protocol

from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectType
from ostrya.image.errors import SourceError
from ostrya.image.tree import MAX_TEXT_BYTES
from ostrya.image.tree_view import EditedTreeFiles
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.formats.checksum import Checksum
    from ostrya.image.tree import TreeEditor

_ETC, _USR_ETC = "etc", "usr/etc"
# What is in them is the running system's, or the disk's.
_FILLED = frozenset({"boot", "dev", "ostree", "proc", "run", "sys", "sysroot", "tmp"})


class Owner(NamedTuple):
    """Who something belongs to, and what they may do.

    Attributes:
        uid: Owner.
        gid: Group.
        mode: Permissions; None for what is usual.
    """

    uid: int = 0
    gid: int = 0
    mode: int | None = None


ROOT = Owner()


class DeviceTree(Protocol):
    """Files of a device by its own paths, in an image or on the device itself."""

    def is_file(self, path: str) -> bool:
        """Say whether a regular file is there, or a link to one."""

    def is_dir(self, path: str) -> bool:
        """Say whether a directory is there, or a link to one."""

    def exists(self, path: str) -> bool:
        """Say whether there is anything, were it a link that leads nowhere."""

    def names(self, path: str) -> list[str]:
        """List a directory by name; empty if it is none."""

    def link_target(self, path: str) -> str | None:
        """Return where a link leads; None if there is none."""

    def real(self, path: str) -> str:
        """Return where a path leads, without links and without the first slash."""

    def read(self, path: str, *, max_bytes: int = ...) -> bytes:
        """Read a file that is there."""

    def read_text(self, path: str) -> str:
        """Read a file; empty if there is none."""

    def write(self, path: str, data: bytes | str, owner: Owner = ...) -> None:
        """Write a file; one that is there keeps its owner and mode if none are given."""

    def link(self, path: str, target: str, owner: Owner = ...) -> None:
        """Make a symbolic link."""

    def make_dir(self, path: str, owner: Owner = ...) -> None:
        """Make a directory, with those above it."""

    def remove(self, path: str) -> bool:
        """Remove what is there, with all in it; say whether it was there."""

    def append_lines(self, path: str, lines: Iterable[str]) -> None:
        """Write lines at the end of a file."""


class Places:
    """A tree that is being made, by the paths that the device has.

    Attributes:
        editor: The tree.
        kver: The version of its kernel.
    """

    def __init__(self, editor: TreeEditor, kver: str) -> None:
        self.editor = editor
        self.kver = kver
        self._files = EditedTreeFiles(editor)

    def real(self, path: str) -> str:
        """Return where a path leads, without links.

        Raises:
            SourceError: Links turn in circles.
        """
        try:
            found = self._files.resolve(_with_usr_etc(path.strip("/")))
        except OSError as exc:
            raise SourceError(f"{path}: {exc.strerror}") from None
        return _with_usr_etc(found)

    def place(self, path: str) -> str:
        """Return where a path is, whose last part may be a link itself."""
        parent, _, name = path.strip("/").rpartition("/")
        folder = self.real(parent)
        return _with_usr_etc(f"{folder}/{name}" if folder else name)

    def _lasting(self, path: str, real: str) -> str:
        if real.partition("/")[0] in _FILLED:
            raise SourceError(f"{path}: what is put there is not part of a release")
        return real

    # -- looking

    def is_file(self, path: str) -> bool:
        """Say whether a regular file is there, or a link to one."""
        return self.editor.is_file(self.real(path))

    def is_dir(self, path: str) -> bool:
        """Say whether a directory is there, or a link to one."""
        return self.editor.find_dir(self.real(path)) is not None

    def exists(self, path: str) -> bool:
        """Say whether there is anything, were it a link that leads nowhere."""
        return self.editor.find(self.place(path)) is not None

    def names(self, path: str) -> list[str]:
        """List a directory by name; empty if it is none."""
        return self.editor.names(self.real(path))

    def link_target(self, path: str) -> str | None:
        """Return where a link leads; None if there is none."""
        return self.editor.link_target(self.place(path))

    def read(self, path: str, *, max_bytes: int = MAX_TEXT_BYTES) -> bytes:
        """Read a file that is there.

        Raises:
            SourceError: There is none, or it is too large for what it should be.
        """
        return self.editor.read(self.real(path), max_bytes=max_bytes)

    def read_text(self, path: str) -> str:
        """Read a file; empty if there is none."""
        real = self.real(path)
        if not self.editor.is_file(real):
            return ""
        return self.editor.read(real).decode("utf-8", "surrogateescape")

    # -- changing

    def write(self, path: str, data: bytes | str, owner: Owner = ROOT) -> None:
        """Write a file; one that is there keeps its owner and mode if none are given."""
        content = data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")
        real = self.real(path)
        if owner == ROOT and self.editor.is_file(real):
            self.editor.rewrite(real, content)
            return
        mode = 0o644 if owner.mode is None else owner.mode
        header = FileHeader(owner.uid, owner.gid, stat.S_IFREG | mode)
        self.put(path, self.editor.tx.writer.write_data(header, content))

    def put(self, path: str, content: Checksum) -> None:
        """Put the content of a file or link into its place, with directories above it.

        Raises:
            SourceError: A directory is there, or nothing can be there in a release.
        """
        place = self._lasting(path, self.place(path))
        if self.editor.find_dir(place) is not None:
            raise SourceError(f"{path}: there is a directory")
        parent, _, name = place.rpartition("/")
        self.editor.make_dir(parent).replace_file(name, content)

    def link(self, path: str, target: str, owner: Owner = ROOT) -> None:
        """Make a symbolic link."""
        header = FileHeader(owner.uid, owner.gid, stat.S_IFLNK | 0o777, target)
        self.put(path, self.editor.tx.writer.write_symlink(header))

    def make_dir(self, path: str, owner: Owner = ROOT) -> None:
        """Make a directory; one that is there gets owner and mode, if these are given.

        Raises:
            SourceError: There is a file, or nothing can be there in a release.
        """
        real = self._lasting(path, self.real(path))
        found = self.editor.find(real)
        if found is not None and self.editor.find_dir(real) is None:
            raise SourceError(f"{path}: there is a file")
        tree = self.editor.make_dir(real)
        if found is not None and owner == ROOT:
            return
        mode = 0o755 if owner.mode is None else owner.mode
        meta = DirMeta(owner.uid, owner.gid, stat.S_IFDIR | mode)
        checksum = self.editor.tx.writer.write_metadata(ObjectType.DIR_META, meta.encode())
        tree.set_metadata_checksum(checksum)

    def remove(self, path: str) -> bool:
        """Remove a file, a link, or a directory with all in it; say whether it was there."""
        return self.editor.remove(self._lasting(path, self.place(path)))

    def append_lines(self, path: str, lines: Iterable[str]) -> None:
        """Write lines at the end of a file."""
        text = self.read_text(path)
        if text and not text.endswith("\n"):
            text += "\n"
        self.write(path, text + "".join(f"{line}\n" for line in lines))


def _with_usr_etc(path: str) -> str:
    is_etc = path == _ETC or path.startswith(f"{_ETC}/")
    return _USR_ETC + path[len(_ETC) :] if is_etc else path
