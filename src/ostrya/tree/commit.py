# SPDX-License-Identifier: Apache-2.0
"""A MutableTree into dirtree objects, and those into a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.commit import KEY_SIZES, Commit, encode_sizes
from ostrya.formats.gvariant.vardict import VarDict
from ostrya.formats.object_name import ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.reader import load_commit, load_dirtree
from ostrya.tree.errors import TreeConflict
from ostrya.tree.mutable_tree import MutableTree

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.repo.transaction import Transaction


class TreeRoot(NamedTuple):
    """The root directory of a commit.

    Attributes:
        contents: Its dirtree object.
        metadata: Its dirmeta object.
    """

    contents: Checksum
    metadata: Checksum


def tree_from_commit(repo: Repository, checksum: Checksum) -> MutableTree:
    """Return the tree of a commit, to be changed and committed again."""
    commit = load_commit(repo, checksum)
    return MutableTree.from_checksums(
        commit.root_contents, commit.root_metadata, lambda wanted: load_dirtree(repo, wanted)
    )


def write_tree(tx: Transaction, tree: MutableTree) -> TreeRoot:
    """Write the dirtree objects of a tree and return its root.

    Raises:
        TreeConflict: The tree has no root directory, or a directory has no metadata.
    """
    if tree.metadata_checksum is None:
        raise TreeConflict("Can't commit an empty tree")
    for directory in tree.unwritten():
        encoded = directory.to_dirtree().encode()
        directory.set_contents_checksum(tx.writer.write_metadata(ObjectType.DIR_TREE, encoded))
    contents = tree.contents_checksum
    if contents is None:
        raise TreeConflict("Can't commit an empty tree")
    return TreeRoot(contents, tree.metadata_checksum)


def write_commit(  # noqa: PLR0913  # options by keyword
    tx: Transaction,
    root: TreeRoot,
    *,
    timestamp: int,
    parent: Checksum | None = None,
    subject: str = "",
    body: str = "",
    metadata: VarDict | None = None,
) -> Checksum:
    """Write a commit object and return its name; no ref points to it yet.

    Args:
        tx: Where it is written.
        root: From ``write_tree``.
        timestamp: Seconds since 1970 UTC.
        parent: The commit before it.
        subject: One line.
        body: Any text.
        metadata: Its dictionary; sizes are appended if the transaction gathered them.
    """
    entries = metadata or VarDict()
    if tx.sizes is not None:
        entries = VarDict((*entries, (KEY_SIZES, encode_sizes(tx.sizes.values()))))
    commit = Commit(entries, parent, (), subject, body, timestamp, root.contents, root.metadata)
    return tx.writer.write_metadata(ObjectType.COMMIT, commit.encode())
