# SPDX-License-Identifier: Apache-2.0
"""A commit's tree laid over a MutableTree: by checksums alone, or changed on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.dirmeta import DirMeta
from ostrya.repo.reader import load_commit, load_dirmeta, load_dirtree, load_file
from ostrya.tree.lineage import Lineage
from ostrya.tree.modifier import FileInfo
from ostrya.tree.rules import CommitRules

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.dirtree import DirTree
    from ostrya.repo.repository import Repository
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.modifier import CommitModifier
    from ostrya.tree.mutable_tree import MutableTree


def overlay_commit(
    tx: Transaction,
    checksum: Checksum,
    tree: MutableTree,
    modifier: CommitModifier | None = None,
) -> None:
    """Put the entries of a commit's tree over those of a tree.

    Args:
        tx: Where changed objects are written.
        checksum: The commit.
        tree: What its entries are put into.
        modifier: What to change on the way; nothing if None.

    Raises:
        ObjectNotFound: The repository lacks an object of the commit.
        TreeConflict: A file meets a directory of the same name in ``tree``.
    """
    commit = load_commit(tx.repo, checksum)
    root = (commit.root_contents, commit.root_metadata)
    rules = None if modifier is None else CommitRules(tx, modifier)
    if rules is None or (
        rules.leaves_info_alone and not rules.skip_xattrs and not rules.decides_xattrs
    ):
        _overlay_unchanged(tx.repo, tree, *root)
    else:
        _overlay_changed(tx, rules, tree, *root)


def _overlay_unchanged(
    repo: Repository, tree: MutableTree, contents: Checksum, metadata: Checksum
) -> None:
    def load(wanted: Checksum) -> DirTree:
        return load_dirtree(repo, wanted)

    stack = [(tree, Lineage(contents), metadata)]
    while stack:
        place, lineage, metadata = stack.pop()
        if place.fill_from(lineage.tree, metadata, load):
            continue
        place.set_metadata_checksum(metadata)
        entries = load(lineage.tree)
        for name, checksum in entries.files:
            place.replace_file(name, checksum)
        stack.extend(
            (place.ensure_dir(name), lineage.enter(child), child_metadata)
            for name, child, child_metadata in entries.dirs
        )


def _overlay_changed(
    tx: Transaction,
    rules: CommitRules,
    tree: MutableTree,
    contents: Checksum,
    metadata: Checksum,
) -> None:
    stack = [("", tree, Lineage(contents), metadata)]
    while stack:
        relative, place, lineage, metadata = stack.pop()
        dirmeta = load_dirmeta(tx.repo, metadata)
        path = relative or "/"
        info = rules.info(path, FileInfo(*dirmeta[:3]))
        if info is None:
            continue
        xattrs = rules.xattrs(path, info, dirmeta.xattrs)
        place.set_metadata_checksum(rules.write_dirmeta(DirMeta(*info, xattrs)))
        entries = load_dirtree(tx.repo, lineage.tree)
        for name, checksum in entries.files:
            changed = _change_file(tx, rules, f"{relative}/{name}", checksum)
            if changed is not None:
                place.replace_file(name, changed)
        for name, child, child_metadata in entries.dirs:
            child_path = f"{relative}/{name}"
            child_info = FileInfo(*load_dirmeta(tx.repo, child_metadata)[:3])
            if rules.info(child_path, child_info) is not None:
                below = lineage.enter(child)
                stack.append((child_path, place.ensure_dir(name), below, child_metadata))


def _change_file(
    tx: Transaction, rules: CommitRules, path: str, checksum: Checksum
) -> Checksum | None:
    """Return the object that a file becomes, None if it is left out."""
    with load_file(tx.repo, checksum) as loaded:
        header = loaded.header
        info = rules.info(path, FileInfo(*header[:3]))
        if info is None:
            return None
        wanted = header._replace(
            uid=info.uid,
            gid=info.gid,
            mode=info.mode,
            xattrs=rules.xattrs(path, info, header.xattrs),
        )
        if wanted == header:
            return checksum
        if wanted.is_symlink:
            return tx.writer.write_symlink(wanted)
        return tx.writer.write_stream(wanted, loaded.size, loaded.chunks())
