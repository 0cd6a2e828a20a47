# SPDX-License-Identifier: Apache-2.0
"""A tree of the cache becomes a release of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.commit import KEY_COLLECTION_BINDING, KEY_REF_BINDING, KEY_VERSION
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.image.release import KEY_LABELS, KEY_ORIGIN
from ostrya.named_tuple import NamedTuple
from ostrya.pull.pull_local import pull_local
from ostrya.repo.reader import load_commit
from ostrya.repo.refs import resolve_rev
from ostrya.repo.signing import sign_commit
from ostrya.repo.transaction import Transaction
from ostrya.sign.engine import make_signer
from ostrya.sign.trust import load_secret_keys_file
from ostrya.tree.bootable import with_bootable_keys
from ostrya.tree.commit import TreeRoot, write_commit

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.image.base_tree import BaseTree
    from ostrya.image.recipe.values import Recipe
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer

_ENGINE = "ed25519"


class Committed(NamedTuple):
    """A release that is in a repository.

    Attributes:
        checksum: It.
        is_new: Whether it was not there before.
    """

    checksum: Checksum
    is_new: bool


def commit_tree(
    repo: Repository,
    kept: Repository,
    root: TreeRoot,
    recipe: Recipe,
    base: BaseTree,
    timestamp: int,
) -> Committed:
    """Commit a tree, unless it is the release that is there; devices do not see it yet.

    Args:
        repo: Where.
        kept: Where the tree is; the cache's, whose refs are left alone.
        root: The tree.
        recipe: What it is called, and who signs it.
        base: What it began as.
        timestamp: Of the commit.

    Raises:
        SignatureError: A key cannot be used.
        OstryaError: It cannot be committed.
    """
    is_own = repo is not kept
    parent = resolve_rev(repo, recipe.ref, allow_noent=True) if is_own else None
    if parent is not None and _is_same(repo, parent, root, recipe):
        return Committed(parent, is_new=False)
    signers = [_signer(path) for path in recipe.repository.sign_keys]
    with Transaction(kept) as tx:
        checksum = write_commit(
            tx,
            root,
            timestamp=timestamp,
            parent=parent,
            subject=recipe.repository.subject,
            body=recipe.repository.body,
            metadata=_metadata(repo, recipe, base),
        )
        tx.commit()
    if is_own:
        # Contents are linked, where both are on one file system.
        pull_local(repo, kept, [checksum])
    for signer in signers:
        sign_commit(repo, checksum, signer)
    return Committed(checksum, is_new=True)


def _signer(path: str) -> Signer:
    return make_signer(_ENGINE, load_secret_keys_file(_ENGINE, path)[0])


def _is_same(repo: Repository, parent: Checksum, root: TreeRoot, recipe: Recipe) -> bool:
    commit = load_commit(repo, parent)
    version = commit.metadata.lookup(KEY_VERSION, "s") or ""
    there = TreeRoot(commit.root_contents, commit.root_metadata)
    return there == root and version == recipe.version


def _metadata(repo: Repository, recipe: Recipe, base: BaseTree) -> VarDict:
    entries = [(KEY_VERSION, Variant("s", recipe.version))] if recipe.version else []
    metadata = with_bootable_keys(VarDict(entries), base.kver)
    entries = [*metadata, (KEY_REF_BINDING, Variant("as", (recipe.ref,)))]
    collection = repo.config.collection_id
    if collection is not None:
        entries.append((KEY_COLLECTION_BINDING, Variant("s", collection)))
    if base.origin:
        entries.append((KEY_ORIGIN, Variant("s", base.origin)))
    if base.labels:
        entries.append((KEY_LABELS, Variant("a{ss}", base.labels)))
    return VarDict(entries)
