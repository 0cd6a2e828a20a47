# SPDX-License-Identifier: Apache-2.0
"""Applying a delta that was brought here: a directory, or the single file of the inline form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.delta.apply import check_commit, check_part_version, has_all_objects
from ostrya.delta.errors import DeltaNotTrusted, DeltaRefused
from ostrya.delta.open_delta import check_offline, open_delta_at
from ostrya.delta.part_sink import PartJob, PartSink
from ostrya.formats.commitmeta import encode_commitmeta
from ostrya.formats.delta_name import commitmeta_path
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.detached import write_detached_bytes
from ostrya.repo.reader import has_object

if TYPE_CHECKING:
    from ostrya.delta.open_delta import OpenDelta
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.transaction import Transaction
    from ostrya.sign.engine import Verifier


def apply_offline(
    tx: Transaction, path: str, verifier: Verifier | None = None, *, jobs: int | None = None
) -> Checksum:
    """Make the commit of a delta present, within a transaction, and return it.

    Args:
        tx: The transaction; the caller commits it.
        path: A directory with a superblock and parts, or a superblock that carries its parts.
        verifier: Who has to vouch for a signed delta; with None nobody does, unless the
            repository's ``sign-verify-deltas`` asks for somebody.
        jobs: How many threads, one or two; two where there are as many processors if None.

    Raises:
        DeltaRefused: It does not fit this repository.
        DeltaNotTrusted: Somebody has to vouch for it, and nobody does.
        SignatureError: Nobody trusted does.
        DeltaFormatError: It makes no sense.
        ChecksumMismatch: A part makes something else than it says.
    """
    with open_delta_at(path) as delta:
        _check_signatures(tx, delta, verifier)
        _check_fits(tx, delta)
        check_offline(delta)
        check_commit(delta.superblock)
        with PartSink(tx, delta.superblock, jobs=jobs) as sink:
            for index in range(len(delta.superblock.parts)):
                _put_part(tx, delta, index, sink)
            while sink.under_way:
                sink.collect(wait=True)
        # Not before: where nothing waits for a sync, objects are in place at once.
        _store_commit(tx, delta)
        return delta.superblock.to


def _check_signatures(tx: Transaction, delta: OpenDelta, verifier: Verifier | None) -> None:
    wanted = tx.repo.config.sign_verify_deltas
    if delta.signed is None:
        if wanted:
            # libostree takes these: then anybody could leave the signatures off.
            raise DeltaNotTrusted("no signatures in static-delta")
        return
    if verifier is None:
        if wanted:
            raise DeltaNotTrusted("Key is mandatory to check delta signature")
        return
    delta.verify(verifier)


def _check_fits(tx: Transaction, delta: OpenDelta) -> None:
    origin = delta.superblock.origin
    if origin is not None and not has_object(tx.repo, ObjectName(origin, ObjectType.COMMIT)):
        raise DeltaRefused(f"Commit {origin}, which is the delta source, is not in repository")


def _store_commit(tx: Transaction, delta: OpenDelta) -> None:
    block = delta.superblock
    if has_object(tx.repo, ObjectName(block.to, ObjectType.COMMIT)):
        return
    tx.writer.write_metadata(ObjectType.COMMIT, block.commit_data, block.to)
    detached = block.metadata.lookup(commitmeta_path(block.name), "a{sv}")
    if detached is not None:
        write_detached_bytes(tx.repo, block.to, encode_commitmeta(detached))


def _put_part(tx: Transaction, delta: OpenDelta, index: int, sink: PartSink) -> None:
    header = delta.superblock.parts[index]
    check_part_version(header)
    if has_all_objects(tx.repo, header):
        return
    sink.collect(wait=sink.is_full)
    spool_fd = tx.repo.tmp_fd
    sink.put(
        PartJob(
            header,
            lambda: delta.open_part(index, spool_fd),
            f"Executing delta part {index}",
        )
    )
