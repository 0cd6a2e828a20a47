# SPDX-License-Identifier: Apache-2.0
"""What two commits hold, and what of it is new: the objects that a delta has to make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.delta.similarity import FileNames
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.reader import load_commit, load_dirtree

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository


class TreeContents(NamedTuple):
    """All that a commit reaches, but for itself.

    Attributes:
        metadata: Its directories, and their metadata.
        files: By content object, the paths of it.
    """

    metadata: dict[ObjectName, None]
    files: dict[Checksum, list[str]]

    def names(self) -> list[FileNames]:
        """Give the files with their paths."""
        return [FileNames(checksum, tuple(paths)) for checksum, paths in self.files.items()]


def read_tree(repo: Repository, commit: Checksum | None) -> TreeContents:
    """Walk the tree of a commit; without one, there is nothing.

    Raises:
        ObjectNotFound: The commit, or a directory of it, is missing.
    """
    contents = TreeContents({}, {})
    if commit is None:
        return contents
    root = load_commit(repo, commit)
    contents.metadata[ObjectName(root.root_metadata, ObjectType.DIR_META)] = None
    stack = [("", root.root_contents)]
    while stack:
        path, checksum = stack.pop()
        contents.metadata[ObjectName(checksum, ObjectType.DIR_TREE)] = None
        tree = load_dirtree(repo, checksum)
        for name, content in tree.files:
            contents.files.setdefault(content, []).append(f"{path}{name}")
        for name, below, metadata in tree.dirs:
            contents.metadata[ObjectName(metadata, ObjectType.DIR_META)] = None
            stack.append((f"{path}{name}/", below))
    return contents
