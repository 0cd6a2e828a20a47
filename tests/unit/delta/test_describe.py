# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.delta.describe import OPERATION_WORDS, describe_part
from ostrya.delta.open_delta import open_delta
from support.deltas import write_delta


def test_counts(source):
    repo, old, new = source
    folder = write_delta(repo, new, old)
    # Shown for what it is, whether or not it is the one that is meant.
    part = folder / "0"
    part.write_bytes(part.read_bytes())
    with open_delta(repo, f"{old}-{new}") as delta:
        facts = describe_part(delta, 0, repo.tmp_fd)
    assert facts.header == delta.superblock.parts[0]
    assert tuple(facts.operations) == OPERATION_WORDS
    assert facts.operations["openspliceclose"] == facts.header.object_count
    assert sum(facts.operations.values()) == facts.header.object_count
    assert facts.data_size >= facts.header.unpacked_size
    assert facts.operations_size > facts.header.object_count
    assert facts.modes >= 1
    assert facts.xattrs == 1
