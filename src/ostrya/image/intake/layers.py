# SPDX-License-Identifier: Apache-2.0
"""Layers of a container image, put one on the other as a tree of paths and objects.

What a layer removes is removed from those below it, in whatever order its entries come; then what
it has is put on top::

    .wh.NAME        removes NAME below
    .wh..wh..opq    removes all that is below in this directory
    .wh..wh.…       left over from AUFS; means nothing

A directory that a layer leaves out, though it has something in it, is the one below; where there is
a link instead, what that leads to, within the tree.

Source: the OCI image-spec, layer; what containerd does about links.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.object_name import ObjectType
from ostrya.image.errors import SourceError
from ostrya.repo.reader import load_file
from ostrya.tree.archive_import import ArchiveExtent, import_archive
from ostrya.tree.errors import TreeConflict
from ostrya.tree.modifier import CommitModifier, FileInfo
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.whiteouts import OPAQUE_NAME, WHITEOUT_PREFIX, whiteout_target

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.image.intake.rules import Keeping
    from ostrya.progress import ProgressSink
    from ostrya.repo.transaction import Transaction

_META_PREFIX = WHITEOUT_PREFIX * 2
_MAX_LINKS = 40
_USUAL_DIR = DirMeta(0, 0, 0o040755)


class LayerStack:
    """A tree that layers are put on.

    Attributes:
        root: The tree.
    """

    def __init__(self, tx: Transaction, keep: Keeping, limits: ArchiveExtent) -> None:
        """Begin with nothing.

        Args:
            tx: Where objects are written.
            keep: What is taken in.
            limits: How much all layers together may hold.
        """
        self.root = MutableTree()
        self._tx = tx
        self._keep = keep
        self._left = limits

    def add(self, stream: IO[bytes], shown: str, progress: ProgressSink) -> None:
        """Put a layer on top.

        Args:
            stream: A tar, compressed or not.
            shown: What the layer is called in messages.
            progress: Told about entries.

        Raises:
            SourceError: It lies in its own way, or in that of a file below.
            ArchiveError: It is damaged, hostile, or too large.
        """
        marks = _Marks(self._keep)
        upper = MutableTree()
        try:
            taken = import_archive(
                self._tx,
                stream,
                upper,
                CommitModifier(filter=marks),
                limits=self._left,
                below=self._file_below,
                progress=progress,
            )
        except TreeConflict as exc:
            raise SourceError(f"{shown}: {exc.message}") from exc
        except FormatError as exc:
            exc.put_first(shown)
            raise
        self._keep.see_time(taken.newest)
        self._left = ArchiveExtent(
            self._left.size_bytes - taken.size_bytes, self._left.entries - taken.entries
        )
        for path in marks.opaque:
            if (place := self._directory(path)) is not None:
                for name in [*place.files(), *place.dirs()]:
                    place.remove(name)
        for path in marks.removed:
            parent, _, name = path.rpartition("/")
            if (place := self._directory(parent)) is not None:
                place.remove(name)
        self._overlay(self.root, upper, "", shown)

    def finish(self) -> None:
        """Give directories that no layer describes the metadata that they usually have."""
        checksum = self._tx.writer.write_metadata(ObjectType.DIR_META, _USUAL_DIR.encode())
        stack = [self.root]
        while stack:
            tree = stack.pop()
            if tree.metadata_checksum is None:
                tree.set_metadata_checksum(checksum)
            stack.extend(tree.dirs().values())

    def _overlay(self, place: MutableTree, upper: MutableTree, path: str, shown: str) -> None:
        if upper.metadata_checksum is not None:
            place.set_metadata_checksum(upper.metadata_checksum)
        for name, content in upper.files().items():
            if name in place.dirs():
                place.remove(name)
            place.replace_file(name, content)
        for name, child in upper.dirs().items():
            here = f"{path}/{name}"
            target = place.dirs().get(name)
            if name in place.files() and child.metadata_checksum is None:
                # Only what is in it was there to say so: a link below may lead to it.
                target = self._directory(here)
                if target is None:
                    raise SourceError(f"{shown}: {here} is a file below, and no directory")
            elif target is None:
                place.remove(name)
                target = place.ensure_dir(name)
            self._overlay(target, child, here, shown)

    # -- what is below

    def _directory(self, path: str) -> MutableTree | None:
        """Return a directory, through links within the tree; None if there is none."""
        names = [name for name in reversed(path.split("/")) if name]
        way = [self.root]
        links = 0
        while names:
            name = names.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                way = way[:-1] or way
                continue
            child = way[-1].dirs().get(name)
            if child is not None:
                way.append(child)
                continue
            target = self._link_target(way[-1].files().get(name))
            links += 1
            if target is None or links > _MAX_LINKS:
                return None
            if target.startswith("/"):
                del way[1:]
            names.extend(reversed(target.split("/")))
        return way[-1]

    def _link_target(self, content: Checksum | None) -> str | None:
        if content is None:
            return None
        with load_file(self._tx.repo, content) as file:
            return file.header.symlink_target if file.header.is_symlink else None

    def _file_below(self, path: str) -> Checksum | None:
        parent, _, name = path.rpartition("/")
        place = self._directory(parent)
        return None if place is None else place.files().get(name)


class _Marks:
    """Gathers what a layer removes, on the way of what it brings."""

    def __init__(self, keep: Keeping) -> None:
        self.removed: list[str] = []
        self.opaque: list[str] = []
        self._keep = keep

    def __call__(self, path: str, info: FileInfo) -> FileInfo | None:
        parent, _, name = path.rpartition("/")
        if not name.startswith(WHITEOUT_PREFIX):
            return self._keep(path, info)
        if name == OPAQUE_NAME:
            self.opaque.append(parent)
        elif not name.startswith(_META_PREFIX):
            self.removed.append(f"{parent}/{whiteout_target(name)}")
        return None
