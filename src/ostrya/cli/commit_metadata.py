# SPDX-License-Identifier: Apache-2.0
"""The dictionaries that ``commit`` puts into a commit and beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.metadata import string_entries, variant_entries
from ostrya.errors import OstryaError, RepoError
from ostrya.formats.commit import KEY_COLLECTION_BINDING, KEY_REF_BINDING
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.reader import load_commit

if TYPE_CHECKING:
    from ostrya.cli.parser import Arguments
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.commit import TreeRoot


def given_metadata(repo: Repository, arguments: Arguments, parent: Checksum | None) -> VarDict:
    """Return what the user adds, in libostree's order: strings, values, kept ones.

    Raises:
        OstryaError: There is nothing to keep metadata from.
        RepoError: The parent lacks a key that shall be kept.
    """
    kept = arguments.texts("keep-metadata")
    if kept and parent is None:
        raise OstryaError(
            "Either --branch or --parent must be specified when using --keep-metadata"
        )
    entries = string_entries(arguments.texts("add-metadata-string"))
    entries += variant_entries(arguments.texts("add-metadata"))
    if parent is not None and kept:
        old = load_commit(repo, parent).metadata
        for key in kept:
            value = old.get(key)
            if value is None:
                raise RepoError(f"Missing metadata key '{key}' from commit '{parent}'")
            entries.append((key, value))
    return VarDict(entries)


def detached_metadata(arguments: Arguments) -> VarDict | None:
    """Return what goes beside the commit, None for nothing."""
    texts = arguments.texts("add-detached-metadata-string")
    return VarDict(string_entries(texts)) if texts else None


def with_automatic_metadata(
    transaction: Transaction, metadata: VarDict, root: TreeRoot, arguments: Arguments
) -> VarDict:
    """Add the bindings, and what the tree itself tells."""
    if not arguments.flag("no-bindings"):
        metadata = _with_bindings(transaction.repo, metadata, arguments)
    if arguments.flag("bootable"):
        from ostrya.tree.bootable import find_kernel_release, with_bootable_keys

        release = find_kernel_release(transaction.repo, root)
        metadata = with_bootable_keys(metadata, release)
    if arguments.flag("generate-composefs-metadata"):
        from ostrya.tree.composefs import image_digest, with_digest_key

        metadata = with_digest_key(metadata, image_digest(transaction.repo, root))
    return metadata


def _with_bindings(repo: Repository, metadata: VarDict, arguments: Arguments) -> VarDict:
    branch = arguments.text("branch")
    names = arguments.texts("bind-ref") + ([] if branch is None else [branch])
    names.sort(key=str.encode)
    # Appended even where the user gave the key too: that is what libostree's checksum covers.
    entries = [*metadata, (KEY_REF_BINDING, Variant("as", tuple(names)))]
    collection_id = repo.config.collection_id
    if collection_id is not None and metadata.get(KEY_COLLECTION_BINDING) is None:
        entries.append((KEY_COLLECTION_BINDING, Variant("s", collection_id)))
    return VarDict(entries)
