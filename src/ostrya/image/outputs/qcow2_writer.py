# SPDX-License-Identifier: Apache-2.0
"""A disk as a qcow2 image, written from its beginning to its end.

::

    cluster 0       header
    …               reference counts: their table, their blocks
    …               first table, second tables, only those with something in them
    …               clusters with something in them, in their order

Clusters of nothing but zeros are left out. The tables are known before the first byte is written,
as the disk is looked at twice; so what it is written to need not be a file.
"""

from __future__ import annotations

import struct
from itertools import groupby
from typing import TYPE_CHECKING

from ostrya.image import qcow2
from ostrya.image.outputs.sinks import is_zero, read_sparsely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.outputs.sinks import Sink

_CLUSTER_BITS = 16
_CLUSTER = 1 << _CLUSTER_BITS
_ENTRIES = _CLUSTER // 8
_COUNTS = _CLUSTER // 2


def write_qcow2(path: str, size_bytes: int, sink: Sink) -> None:
    """Write a disk as an image.

    Args:
        path: The disk, a sparse file.
        size_bytes: How large it is.
        sink: Takes the image.

    Raises:
        OSError: The disk cannot be read.
    """
    used = [number for number, _ in _clusters(path, size_bytes)]
    tables = [(at, list(found)) for at, found in groupby(used, lambda number: number // _ENTRIES)]
    first_entries = max(1, -(-size_bytes // (_CLUSTER * _ENTRIES)))
    first_clusters = -(-first_entries * 8 // _CLUSTER)
    counts_table, counts_blocks, total = _count_clusters(
        1 + first_clusters + len(tables) + len(used)
    )
    counts_at = 1
    first_at = counts_at + counts_table + counts_blocks
    seconds_at = first_at + first_clusters
    data_at = seconds_at + len(tables)
    header = qcow2.Header(size_bytes, _CLUSTER_BITS, first_at * _CLUSTER, first_entries)
    counts = {"counts_at": counts_at * _CLUSTER, "counts_clusters": counts_table}
    sink.write(qcow2.encode_header(header, **counts).ljust(_CLUSTER, b"\0"))
    blocks = [(counts_at + counts_table + at) * _CLUSTER for at in range(counts_blocks)]
    sink.write(struct.pack(f">{len(blocks)}Q", *blocks).ljust(counts_table * _CLUSTER, b"\0"))
    for at in range(counts_blocks):
        here = min(_COUNTS, total - at * _COUNTS)
        sink.write((b"\0\1" * here).ljust(_CLUSTER, b"\0"))
    first = [0] * first_entries
    for place, (at, _) in enumerate(tables):
        first[at] = (seconds_at + place) * _CLUSTER | qcow2.COPIED
    sink.write(struct.pack(f">{first_entries}Q", *first).ljust(first_clusters * _CLUSTER, b"\0"))
    for _, numbers in tables:
        second = [0] * _ENTRIES
        for number in numbers:
            second[number % _ENTRIES] = data_at * _CLUSTER | qcow2.COPIED
            data_at += 1
        sink.write(struct.pack(f">{_ENTRIES}Q", *second))
    for _, data in _clusters(path, size_bytes):
        sink.write(data)


def _count_clusters(others: int) -> tuple[int, int, int]:
    """Return clusters of the table of counts, of its blocks, and of the whole image."""
    table = blocks = 1
    while True:
        total = others + table + blocks
        needed = -(-total // _COUNTS)
        if needed <= blocks and -(-blocks // _ENTRIES) <= table:
            return table, blocks, total
        blocks, table = needed, -(-needed // _ENTRIES)


def _clusters(path: str, size_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield clusters that have something in them, the last one filled up with zeros."""
    at, held = 0, bytearray()
    for data, count in read_sparsely(path, size=size_bytes):
        if data is None:
            # What was begun is filled up; of the rest, only the beginning of a cluster is kept.
            fill = min(count, -len(held) % _CLUSTER)
            held += bytes(fill)
            at += fill
            if len(held) == _CLUSTER:
                # Which zeros are holes depends on where the disk was made.
                if not is_zero(held):
                    yield at // _CLUSTER - 1, bytes(held)
                held.clear()
            at += count - fill
            if count > fill:
                held += bytes(at % _CLUSTER)
            continue
        while data:
            taken = data[: _CLUSTER - len(held)]
            held += taken
            at += len(taken)
            data = data[len(taken) :]  # noqa: PLW2901
            if len(held) == _CLUSTER:
                if not is_zero(held):
                    yield at // _CLUSTER - 1, bytes(held)
                held.clear()
    if held and not is_zero(held):
        yield at // _CLUSTER, bytes(held).ljust(_CLUSTER, b"\0")
