# SPDX-License-Identifier: Apache-2.0
"""The commit ``ostree-metadata``: what a repository with a collection id says of itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ostrya.formats.commit import KEY_COLLECTION_BINDING, KEY_REF_BINDING, Commit
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.gvariant.vardict import VarDict, Variant, glib_dict_order
from ostrya.formats.object_name import ObjectType
from ostrya.formats.refs import CollectionRef
from ostrya.repo.errors import RepoConfigError
from ostrya.repo.refs import resolve_ref
from ostrya.repo.signing import sign_commit
from ostrya.repo.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer

METADATA_REF = "ostree-metadata"


def write_metadata_commit(
    repo: Repository,
    additional: VarDict | None = None,
    *,
    now: int | None = None,
    signers: Sequence[Signer] = (),
) -> Checksum:
    """Write the commit ``ostree-metadata`` of a repository with a collection id, and sign it.

    Raises:
        SignatureError: A signature could not be made; then nothing is written.
        RepoConfigError: The repository has no collection id.
    """
    collection_id = repo.config.collection_id
    if collection_id is None:
        raise RepoConfigError("Repository must have collection ID to write repo metadata")
    values = dict(additional or VarDict())
    values[KEY_COLLECTION_BINDING] = Variant("s", collection_id)
    values[KEY_REF_BINDING] = Variant("as", (METADATA_REF,))
    metadata = VarDict((key, values[key]) for key in glib_dict_order(values))
    parent = resolve_ref(repo, None, METADATA_REF, allow_noent=True)
    with Transaction(repo) as tx:
        dirmeta = tx.writer.write_metadata(ObjectType.DIR_META, DirMeta(0, 0, 0o040755).encode())
        dirtree = tx.writer.write_metadata(ObjectType.DIR_TREE, DirTree().encode())
        timestamp = int(time.time()) if now is None else now
        commit = Commit(metadata, parent, (), "", "", timestamp, dirtree, dirmeta)
        checksum = tx.writer.write_metadata(ObjectType.COMMIT, commit.encode())
        for signer in signers:
            sign_commit(repo, checksum, signer)
        tx.set_collection_ref(CollectionRef(collection_id, METADATA_REF), checksum)
        tx.commit()
    return checksum
