# SPDX-License-Identifier: Apache-2.0
"""Repositories of collections: signed commits bound to their refs, mirrors, and who wants them."""

from __future__ import annotations

import os
from pathlib import Path

from ostrya.formats.checksum import Checksum
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.refs import CollectionRef
from ostrya.pull.pull_local import pull_local
from ostrya.repo.config_writer import write_config
from ostrya.repo.ref_writer import write_collection_ref
from ostrya.repo.repository import Repository
from ostrya.repo.signing import sign_commit
from ostrya.repo.summary import regenerate_summary
from ostrya.repo.transaction import Transaction
from ostrya.sign.ed25519 import Ed25519Signer
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory
from support.ed25519_keys import key_pair
from support.small_repos import make_repo

OWNER = "org.example.os"
APP = CollectionRef(OWNER, "app")
KEYS = key_pair(1)
OTHER_KEYS = key_pair(2)


def publisher(path: Path, owner: str = OWNER) -> Repository:
    """Make the repository that a collection's refs come from."""
    return make_repo(path, collection_id=owner)


def publish(
    repo: Repository,
    ref: str = "app",
    *,
    timestamp: int = 1_000_000_000,
    keys=KEYS,
    owner: str | None = None,
) -> Checksum:
    """Commit something new, signed and bound, and write the summary."""
    owner = owner or repo.config.collection_id or OWNER
    top = Path(repo.path).parent / f"tree-{os.urandom(4).hex()}"
    top.mkdir()
    (top / "file").write_text(f"{ref} of {timestamp} {top}")
    metadata = VarDict.of(
        {
            "ostree.ref-binding": Variant("as", (ref,)),
            "ostree.collection-binding": Variant("s", owner),
        }
    )
    with Transaction(repo) as tx:
        tree = MutableTree()
        write_directory(tx, str(top), tree, CommitModifier(), jobs=1)
        commit = write_commit(tx, write_tree(tx, tree), timestamp=timestamp, metadata=metadata)
        tx.commit()
    if keys is not None:
        sign_commit(repo, commit, Ed25519Signer(keys.secret))
    write_collection_ref(repo, CollectionRef(owner, ref), commit)
    regenerate_summary(repo)
    return commit


def copy_refs(source: Repository, path: Path, *refs: CollectionRef) -> Repository:
    """Do what ``create-usb`` does: copy refs into a repository of no collection."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = make_repo(path)
    for ref in refs:
        commit = Checksum((Path(source.path) / "refs/heads" / ref.ref).read_text().strip())
        pull_local(target, source, [commit])
        write_collection_ref(target, ref, commit)
    regenerate_summary(target)
    return target


def add_remote(
    repo: Repository, name: str, source: Repository | str, owner: str | None = OWNER, **more: str
) -> None:
    """Configure a remote whose commits need an ed25519 signature, and none by OpenPGP."""
    url = source if isinstance(source, str) else f"file://{source.path}"
    values = {
        "url": url,
        "gpg-verify": "false",
        "sign-verify": "ed25519",
        "verification-ed25519-key": KEYS.public_text,
        **({} if owner is None else {"collection-id": owner}),
        **{key.replace("_", "-"): value for key, value in more.items()},
    }
    keyfile = repo.config.keyfile
    for key, value in values.items():
        keyfile.set_value(f'remote "{name}"', key, value)
    write_config(repo, keyfile)
    repo.reload_config()
