# SPDX-License-Identifier: Apache-2.0
"""Building and writing the summary: what a remote reads to learn of refs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import FileTooLargeError, read_file, unlink_if_exists
from ostrya._linux.naming import names_repo
from ostrya.errors import RepoError
from ostrya.formats.commitmeta import encode_commitmeta
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.summary import (
    Summary,
    SummaryFacts,
    SummaryRef,
    build_summary,
    summary_ref,
)
from ostrya.repo.delta_files import list_deltas
from ostrya.repo.delta_indexes import reindex_deltas, superblock_digest
from ostrya.repo.reader import load_commit, object_storage_size
from ostrya.repo.refs import list_collection_refs, list_refs
from ostrya.repo.signing import add_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.refs import CollectionRef
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer

    _Refs = tuple[dict[str, Checksum], dict[CollectionRef, Checksum]]

SUMMARY_SIGNATURES = "summary.sig"
MAX_SUMMARY_BYTES = 128 << 20


@names_repo
def read_summary(repo: Repository) -> bytes:
    """Return the bytes of a repository's own summary.

    Raises:
        FileNotFoundError: It has none.
        RepoError: It is larger than any summary may be.
    """
    try:
        return read_file("summary", dir_fd=repo.dir_fd, max_bytes=MAX_SUMMARY_BYTES)
    except FileTooLargeError:
        raise RepoError(f"summary of repo {repo.path} is too large") from None


@names_repo
def regenerate_summary(
    repo: Repository,
    additional: VarDict | None = None,
    *,
    now: int | None = None,
    signers: Sequence[Signer] = (),
    before_write: Callable[[], None] = lambda: None,
) -> Summary:
    """Write the summary of all refs anew, and the indexes of deltas.

    Signatures of the old summary are replaced or deleted.

    Args:
        repo: The repository.
        additional: Further metadata.
        now: Seconds since 1970 UTC; the clock's if None.
        signers: Who signs the new summary.
        before_write: Called when all is made and nothing is written; what it raises ends it there.

    Raises:
        SignatureError: A signature could not be made; then nothing is written.
        ObjectNotFound: A ref points to a commit that is not there.
        FormatError: A ref points to a damaged commit; the sentence names it.
    """
    with repo.lock.hold(exclusive=False):
        reindex_deltas(repo)
        refs = _all_refs(repo)
        while True:
            summary = _build(repo, refs, additional or VarDict(), now)
            _write(repo, summary.encode(), signers, before_write)
            # Another writer may have set a ref, and written its summary before this older one.
            written, refs = refs, _all_refs(repo)
            if refs == written:
                return summary


def _write(
    repo: Repository, data: bytes, signers: Sequence[Signer], before_write: Callable[[], None]
) -> None:
    metadata = VarDict()
    for signer in signers:
        metadata = add_signature(metadata, data, signer)
    before_write()
    durable = repo.config.fsync
    replace_file("summary", data, dir_fd=repo.dir_fd, durable=durable)
    if signers:
        signatures = encode_commitmeta(metadata)
        replace_file(SUMMARY_SIGNATURES, signatures, dir_fd=repo.dir_fd, durable=durable)
    else:
        unlink_if_exists(SUMMARY_SIGNATURES, dir_fd=repo.dir_fd)


def _all_refs(repo: Repository) -> _Refs:
    local = {}
    if repo.config.collection_id is None:
        local = list_refs(repo, include_remotes=False)
    return local, list_collection_refs(repo)


def _build(repo: Repository, found: _Refs, additional: VarDict, now: int | None) -> Summary:
    config = repo.config
    local, collected = found
    refs = [_describe(repo, name, checksum) for name, checksum in local.items()]
    collections: dict[str, list[SummaryRef]] = {}
    for (owner, name), checksum in collected.items():
        collections.setdefault(owner, []).append(_describe(repo, name, checksum))
    facts = SummaryFacts(
        mode=_mode_as_written(repo),
        last_modified=int(time.time()) if now is None else now,
        tombstone_commits=config.tombstone_commits,
        collection_id=config.collection_id,
        static_deltas=_delta_digests(repo),
        additional=additional,
    )
    return build_summary(refs, collections, facts)


def _describe(repo: Repository, name: str, checksum: Checksum) -> SummaryRef:
    commit = load_commit(repo, checksum)
    size_bytes = object_storage_size(repo, ObjectName(checksum, ObjectType.COMMIT))
    return summary_ref(name, checksum, size_bytes, commit)


def _mode_as_written(repo: Repository) -> str:
    keyfile = repo.config.keyfile
    return keyfile.get_value("core", "mode") if keyfile.has_key("core", "mode") else "bare"


def _delta_digests(repo: Repository) -> VarDict | None:
    keyfile = repo.config.keyfile
    if keyfile.has_key("core", "no-deltas-in-summary") and keyfile.get_boolean(
        "core", "no-deltas-in-summary"
    ):
        return None
    return VarDict.of(
        (str(name), Variant("ay", superblock_digest(repo, name))) for name in list_deltas(repo)
    )
