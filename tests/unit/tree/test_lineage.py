# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import os
import stat

import pytest

from ostrya.formats.checksum import Checksum
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo.errors import ObjectInvalid
from ostrya.repo.modes import RepoMode
from ostrya.repo.transaction import Transaction
from ostrya.tree import composefs, diff, lookup, tar_export
from ostrya.tree.checkout import checkout_commit
from ostrya.tree.commit import TreeRoot, write_commit, write_tree
from ostrya.tree.lineage import Lineage
from ostrya.tree.modifier import CommitModifier, FileInfo
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.overlay import overlay_commit
from support.small_repos import make_repo

ENDLESS = Checksum("ab" * 32)
A, B, C = (Checksum(letter * 64) for letter in "abc")


@pytest.fixture
def damaged(tmp_path):
    """A repository with a commit whose root lies in itself, two levels down, and an empty one."""
    with make_repo(tmp_path / "repo", RepoMode.ARCHIVE) as repo:
        with Transaction(repo) as tx:
            meta = tx.writer.write_metadata(
                ObjectType.DIR_META, DirMeta(0, 0, stat.S_IFDIR | 0o755).encode()
            )
            between = DirTree((), (("again", ENDLESS, meta),)).encode()
            below = tx.writer.write_metadata(ObjectType.DIR_TREE, between)
            tx.writer.store_metadata(
                ObjectName(ENDLESS, ObjectType.DIR_TREE),
                DirTree((), (("between", below, meta),)).encode(),
            )
            commit = write_commit(tx, TreeRoot(ENDLESS, meta), timestamp=0)
            empty_tree = MutableTree()
            empty_tree.set_metadata_checksum(meta)
            empty = write_commit(tx, write_tree(tx, empty_tree), timestamp=0)
            tx.commit()
        assert os.path.exists(
            f"{repo.path}/objects/"
            + loose_path(ObjectName(ENDLESS, ObjectType.DIR_TREE), archive=True)
        )
        yield repo, commit, empty, meta


def test_a_directory_may_be_in_many_places():
    top = Lineage(A)
    assert top.enter(B).enter(C) == Lineage(C, Lineage(B, Lineage(A)))
    assert top.enter(B).above is top
    assert top.enter(C).above is top


@pytest.mark.parametrize("again", [A, B, C])
def test_a_directory_that_holds_itself(again):
    with pytest.raises(ObjectInvalid, match=f"Object {again}.dirtree is invalid: .* holds itself"):
        Lineage(A).enter(B).enter(C).enter(again)


def check_out(repo, commit, _empty, _meta, folder):
    checkout_commit(repo, commit, str(folder / "out"))


def list_all(repo, commit, _empty, _meta, _folder):
    list(lookup.walk(repo, lookup.commit_root(repo, commit)))


def compare(repo, commit, empty, _meta, _folder):
    diff.compare_trees(diff.open_commit_tree(repo, empty), diff.open_commit_tree(repo, commit))


def export(repo, commit, _empty, _meta, _folder):
    root = lookup.commit_root(repo, commit)
    tar_export.export_tree(repo, root, io.BytesIO(), tar_export.ExportOptions(timestamp=0))


def make_image(repo, _commit, _empty, meta, _folder):
    composefs.image_digest(repo, TreeRoot(ENDLESS, meta))


def overlay(repo, commit, empty, _meta, _folder):
    with Transaction(repo) as tx:
        tree = MutableTree()
        overlay_commit(tx, empty, tree)
        tree.ensure_dir("between").replace_file("file", A)
        overlay_commit(tx, commit, tree)
        write_tree(tx, tree)


def overlay_changed(repo, commit, _empty, _meta, _folder):
    def dated(_path: str, info: FileInfo) -> FileInfo:
        return info._replace(uid=1)

    with Transaction(repo) as tx:
        overlay_commit(tx, commit, MutableTree(), CommitModifier(filter=dated))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "walk", [check_out, list_all, compare, export, make_image, overlay, overlay_changed]
)
def test_every_walk_ends(damaged, tmp_path, walk):
    with pytest.raises(ObjectInvalid, match="holds itself"):
        walk(*damaged, tmp_path)
