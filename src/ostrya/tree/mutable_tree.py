# SPDX-License-Identifier: Apache-2.0
"""A tree being assembled in memory, before it becomes dirtree objects.

Subdirectories that come from a commit are loaded only when something looks into them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.dirtree import DirTree, check_filename
from ostrya.tree.errors import TreeConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ostrya.formats.checksum import Checksum

    LoadDirTree = Callable[[Checksum], DirTree]


class MutableTree:
    """One directory: file names with content checksums, subdirectories, own metadata.

    Attributes:
        metadata_checksum: The directory's dirmeta object, once it is known.
    """

    __slots__ = (
        "_contents_checksum",
        "_dirs",
        "_files",
        "_in_parent",
        "_load",
        "metadata_checksum",
    )

    def __init__(self) -> None:
        self.metadata_checksum: Checksum | None = None
        self._files: dict[str, Checksum] = {}
        self._dirs: dict[str, MutableTree] = {}
        self._contents_checksum: Checksum | None = None
        self._load: LoadDirTree | None = None
        # What the parent's dirtree object says of this directory.
        self._in_parent: tuple[Checksum | None, Checksum | None] = (None, None)

    @classmethod
    def from_checksums(
        cls, contents: Checksum, metadata: Checksum, load: LoadDirTree
    ) -> MutableTree:
        """Make a tree that stands for committed objects, loaded when looked into."""
        tree = cls()
        tree.fill_from(contents, metadata, load)
        tree.note_parent_written()
        return tree

    def fill_from(self, contents: Checksum, metadata: Checksum, load: LoadDirTree) -> bool:
        """Let an empty tree stand for committed objects; False if it is not empty."""
        if not self.is_untouched:
            return False
        self._contents_checksum = contents
        self.metadata_checksum = metadata
        self._load = load
        return True

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was put into this tree yet."""
        return (
            not self._files
            and not self._dirs
            and self._contents_checksum is None
            and self.metadata_checksum is None
        )

    @property
    def contents_checksum(self) -> Checksum | None:
        """The dirtree object this directory is equal to; None once it was changed."""
        stack = [self]
        while stack:
            tree = stack.pop()
            if tree.is_changed_here:
                return None
            stack.extend(tree.loaded_dirs)
        return self._contents_checksum

    @property
    def loaded_dirs(self) -> Iterable[MutableTree]:
        """The subdirectories, none if nobody has looked into this tree yet."""
        return self._dirs.values() if self._load is None else ()

    @property
    def last_checksum(self) -> Checksum | None:
        """The dirtree object this directory was read from, or last written as."""
        return self._contents_checksum

    @property
    def is_changed_here(self) -> bool:
        """Whether an entry is not what the dirtree object says; the level below may be, too."""
        return self._contents_checksum is None or (
            any(child.differs_from_parent for child in self.loaded_dirs)
        )

    @property
    def differs_from_parent(self) -> bool:
        """Whether the dirtree object of the parent says something else of this directory."""
        return (self._contents_checksum, self.metadata_checksum) != self._in_parent

    def set_contents_checksum(self, checksum: Checksum) -> None:
        """Note that this directory was written as a dirtree object."""
        self._contents_checksum = checksum
        for child in self._dirs.values():
            child.note_parent_written()

    def note_parent_written(self) -> None:
        """Note that the parent was written, and describes this directory as it is now."""
        self._in_parent = (self._contents_checksum, self.metadata_checksum)

    def files(self) -> dict[str, Checksum]:
        """Return the files of this directory; not to be changed."""
        self._ensure_loaded()
        return self._files

    def dirs(self) -> dict[str, MutableTree]:
        """Return the subdirectories; not to be changed."""
        self._ensure_loaded()
        return self._dirs

    def replace_file(self, name: str, checksum: Checksum) -> None:
        """Put a file here, in place of one of that name.

        Raises:
            TreeConflict: There is a directory of that name.
            ObjectFormatError: No directory entry can have that name.
        """
        check_filename(name)
        self._ensure_loaded()
        if name in self._dirs:
            raise TreeConflict(f"Can't replace directory with file: {name}")
        if self._files.get(name) != checksum:
            self._files[name] = checksum
            self._contents_checksum = None

    def ensure_dir(self, name: str) -> MutableTree:
        """Return the subdirectory of that name, made if need be.

        Raises:
            TreeConflict: There is a file of that name.
            ObjectFormatError: No directory entry can have that name.
        """
        check_filename(name)
        self._ensure_loaded()
        if name in self._files:
            raise TreeConflict(f"Can't replace file with directory: {name}")
        child = self._dirs.get(name)
        if child is None:
            child = self._dirs[name] = MutableTree()
            self._contents_checksum = None
        return child

    def remove(self, name: str) -> bool:
        """Remove an entry; say whether it was there."""
        self._ensure_loaded()
        if name in self._files:
            del self._files[name]
        elif name in self._dirs:
            del self._dirs[name]
        else:
            return False
        self._contents_checksum = None
        return True

    def set_metadata_checksum(self, checksum: Checksum) -> None:
        """Set the directory's dirmeta object."""
        self.metadata_checksum = checksum

    def walk(self, names: list[str]) -> MutableTree | None:
        """Return the directory at the end of a path of names, None if there is none."""
        tree: MutableTree | None = self
        for name in names:
            if tree is None:
                return None
            tree = tree.dirs().get(name)
        return tree

    def unwritten(self) -> Iterator[MutableTree]:
        """Yield the changed directories, every one after all those below it.

        Each is to be written, and its checksum noted, before the next one is asked for.
        """
        stack: list[tuple[MutableTree, bool]] = [(self, False)]
        while stack:
            tree, children_done = stack.pop()
            if children_done:
                if tree.is_changed_here:
                    yield tree
            else:
                stack.append((tree, True))
                stack.extend((child, False) for child in tree.loaded_dirs)

    def to_dirtree(self) -> DirTree:
        """Return the directory as an object's value; what is below it was written before.

        Raises:
            TreeConflict: A subdirectory was not written, or has no metadata.
        """
        dirs = []
        for name, child in self._dirs.items():
            contents, metadata = child.last_checksum, child.metadata_checksum
            if contents is None or metadata is None:
                raise TreeConflict(f"Can't commit directory without metadata: {name}")
            dirs.append((name, contents, metadata))
        return DirTree(
            tuple(sorted(self._files.items(), key=_by_bytes)),
            tuple(sorted(dirs, key=_by_bytes)),
        )

    def _ensure_loaded(self) -> None:
        load, self._load = self._load, None
        if load is None or self._contents_checksum is None:
            return
        tree = load(self._contents_checksum)
        self._files = dict(tree.files)
        self._dirs = {
            name: MutableTree.from_checksums(contents, metadata, load)
            for name, contents, metadata in tree.dirs
        }


def _by_bytes(entry: tuple[str, ...]) -> bytes:
    return entry[0].encode()
