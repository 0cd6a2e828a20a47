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
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, Started, Unit
from ostrya.repo.detached import write_detached_bytes
from ostrya.repo.reader import has_object

if TYPE_CHECKING:
    from ostrya.delta.open_delta import OpenDelta
    from ostrya.formats.checksum import Checksum
    from ostrya.progress import ProgressSink
    from ostrya.repo.transaction import Transaction
    from ostrya.sign.engine import Verifier

TASK = "applying delta"
_REPORT_S = 0.2


def apply_offline(
    tx: Transaction,
    path: str,
    verifier: Verifier | None = None,
    *,
    signature_required: bool = False,
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> Checksum:
    """Make the commit of a delta present, within a transaction, and return it.

    Args:
        tx: The transaction; the caller commits it.
        path: A directory with a superblock and parts, or a superblock that carries its parts.
        verifier: Who has to vouch for a signed delta; with None nobody does, unless somebody
            has to.
        signature_required: Whether somebody has to; the repository's ``sign-verify-deltas`` asks
            for it too.
        jobs: How many threads, one or two; two where there are as many processors if None.
        progress: Told how many bytes are made.

    Raises:
        DeltaRefused: It does not fit this repository.
        DeltaNotTrusted: Somebody has to vouch for it, and nobody does.
        SignatureError: Nobody trusted does.
        DeltaFormatError: It makes no sense.
        ChecksumMismatch: A part makes something else than it says.
    """
    with open_delta_at(path) as delta:
        wanted = signature_required or tx.repo.config.sign_verify_deltas
        _check_signatures(delta, verifier, wanted=wanted)
        _check_fits(tx, delta)
        check_offline(delta)
        check_commit(delta.superblock)
        _make_objects(tx, delta, jobs, progress)
        # Not before: where nothing waits for a sync, objects are in place at once.
        _store_commit(tx, delta)
        return delta.superblock.to


def _check_signatures(delta: OpenDelta, verifier: Verifier | None, *, wanted: bool) -> None:
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


def _make_objects(
    tx: Transaction, delta: OpenDelta, jobs: int | None, progress: ProgressSink
) -> None:
    block = delta.superblock
    for header in block.parts:
        check_part_version(header)
    parts = enumerate(block.parts)
    missing = [index for index, part in parts if not has_all_objects(tx.repo, part)]
    total = sum(block.parts[index].unpacked_size for index in missing)
    progress.send(Started(TASK, total, Unit.BYTES))
    with PartSink(tx, block, jobs=jobs) as sink:
        while missing or sink.under_way:
            while missing and not sink.is_full:
                sink.put(_job(tx, delta, missing.pop(0)))
            sink.collect(wait=True, patience_s=_REPORT_S)
            progress.send(Advanced(TASK, min(sink.made, total), total))
        progress.send(Finished(TASK, min(sink.made, total)))


def _job(tx: Transaction, delta: OpenDelta, index: int) -> PartJob:
    spool_fd = tx.repo.tmp_fd
    return PartJob(
        delta.superblock.parts[index],
        lambda: delta.open_part(index, spool_fd),
        f"Executing delta part {index}",
    )
