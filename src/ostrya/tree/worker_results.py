# SPDX-License-Identifier: Apache-2.0
"""What a worker that writes objects tells its transaction, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.checksum import Checksum
from ostrya.formats.commit import SizeEntry
from ostrya.formats.object_name import ObjectType

if TYPE_CHECKING:
    from ostrya.repo.transaction import Transaction
    from ostrya.repo.writer import ObjectWriter

PlainSizes = list[tuple[str, tuple[str, int, int, int]]]
Told = tuple[tuple[int, ...], PlainSizes | None]


def take_told(writer: ObjectWriter) -> Told:
    """Return what a writer counted and measured since it was last asked."""
    counts = writer.counts.take()
    if writer.sizes is None:
        return counts, None
    sizes = [
        (key, (str(entry[0]), int(entry[1]), entry[2], entry[3]))
        for key, entry in writer.sizes.items()
    ]
    writer.sizes.clear()
    return counts, sizes


def gather(tx: Transaction, told: Told) -> None:
    """Add what a worker tells to what its transaction knows."""
    counts, sizes = told
    tx.counts.add(counts)
    if not sizes or tx.sizes is None:
        return
    for key, (checksum, kind, unpacked, archived) in sizes:
        entry = SizeEntry(Checksum(checksum), ObjectType(kind), unpacked, archived)
        tx.sizes.setdefault(key, entry)
