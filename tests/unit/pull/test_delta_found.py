# SPDX-License-Identifier: Apache-2.0
"""What a delta comes to from here."""

from __future__ import annotations

from ostrya.formats.checksum import Checksum
from ostrya.formats.delta_name import DeltaName, part_path
from ostrya.formats.delta_superblock import KEY_APPLY_MEMORY, Fallback
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.delta_found import DeltaCounts, FoundDelta
from support.deltas import PartBuilder, simple_commit, superblock_of


def test_what_it_comes_to():
    data, commit = simple_commit()
    name = DeltaName(commit, None)
    builder = PartBuilder()
    builder.splice(b"content")
    headers = tuple(
        builder.header(builder.file(), size=size, unpacked_size=10 * size) for size in (1, 2, 4)
    )
    block = superblock_of(name, data, headers)
    left_out = Fallback(ObjectName(Checksum("a" * 64), ObjectType.FILE), 100, 1000)
    found = FoundDelta(block, (0, 2), (left_out,), 7)
    assert (found.size, found.requests, found.unpacked_size) == (112, 4, 1050)
    assert found.apply_memory is None
    inside = (part_path(name, 2), Variant("(yay)", (0, b"carried")))
    stated = (KEY_APPLY_MEMORY, Variant("t", swap_u64(5)))
    block = block._replace(metadata=VarDict((*block.metadata, inside, stated)))
    found = found._replace(block=block)
    assert (found.size, found.requests, found.unpacked_size) == (108, 3, 1050)
    assert found.apply_memory == 5


def test_the_sentence():
    counts = DeltaCounts()
    counts.parts, counts.parts_here, counts.size = 3, 1, 5000
    expected = (
        "Delta update: 1/3 parts, 0 bytes/5.0\N{NO-BREAK SPACE}kB, 0 bytes total uncompressed"
    )
    assert counts.sentence() == expected
