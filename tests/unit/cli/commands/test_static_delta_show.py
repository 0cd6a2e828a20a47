# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.delta_superblock import (
    DeltaByteOrder,
    Fallback,
    FoundByteOrder,
    Superblock,
)
from ostrya.formats.gvariant.vardict import VarDict
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.repository import open_repository
from support.deltas import write_delta


@pytest.fixture
def folder(sample):
    with open_repository(str(sample.path)) as repo:
        return write_delta(repo, sample.second, sample.first)


def test_show(run, sample, folder):
    block = Superblock.decode((folder / "superblock").read_bytes())
    part = block.parts[0]
    lines = run.ok("static-delta", "show", sample.option, str(block.name)).lines
    assert lines[:10] == [
        f"Delta: {block.name}",
        "Signed: no",
        f"From: {sample.first}",
        f"To: {sample.second}",
        "Endianness: little",
        "Timestamp: 5",
        "Number of parents: 0",
        "Number of fallback entries: 0",
        "Total Fallback Size: 0 (0 bytes)",
        "Total Fallback Uncompressed Size: 0 (0 bytes)",
    ]
    count = part.object_count
    assert lines[10] == "Number of parts: 1"
    assert lines[11] == f"PartMeta0: nobjects={count} size={part.size} usize={part.unpacked_size}"
    assert lines[12].startswith("PartPayload0: nmodes=")
    assert lines[13].startswith(f"PartPayloadOps0: openspliceclose={count} open=0 write=0 setread=")
    assert lines[14].startswith(f"Total Part Size: {part.size} (")
    assert lines[17].startswith(f"Total Uncompressed Size: {part.unpacked_size} (")


def test_by_path_with_fallbacks_and_a_guess(run, sample, folder):
    path = folder / "superblock"
    block = Superblock.decode(path.read_bytes())
    fallback = Fallback(ObjectName("a" * 64, ObjectType.FILE), 1000, 2000)
    changed = block._replace(
        origin=None,
        metadata=VarDict(),
        fallbacks=(fallback,),
        byte_order=FoundByteOrder(DeltaByteOrder.BIG, heuristic=True),
    )
    path.write_bytes(changed.encode())
    lines = run.ok("static-delta", "show", sample.option, path).lines
    assert lines[2] == "From <scratch>"
    assert lines[4] == "Endianness: big (heuristic)"
    assert lines[7:9] == ["Number of fallback entries: 1", "  " + "a" * 64]
    assert lines[9] == "Total Fallback Size: 1000 (1.0\N{NO-BREAK SPACE}kB)"
    assert lines[-2].startswith(f"Total Size: {block.size + 1000} (")


def test_json(run, sample, folder, schema):
    found = run.ok("static-delta", "show", "--json", sample.option, f"{folder}/superblock").json()
    schema(found, "static-delta-show")
    assert found["to"] == sample.second
    assert found["parts"][0]["operations"]["bspatch"] == 0


def test_what_is_not_there(run, sample):
    assert run.fails("static-delta", "show", sample.option) == "DELTA must be specified"
    assert "Invalid rev" in run.fails("static-delta", "show", sample.option, "main")
    assert "No such file" in run.fails("static-delta", "show", sample.option, sample.first)
