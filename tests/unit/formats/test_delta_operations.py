# SPDX-License-Identifier: Apache-2.0
"""Operations and the steps of patches."""

from __future__ import annotations

import pytest

from ostrya.formats.delta_operations import (
    Close,
    Open,
    Patch,
    PatchControl,
    SetReadSource,
    SpliceFile,
    SpliceMetadata,
    UnsetReadSource,
    Write,
    decode_operations,
    encode_operation,
)
from ostrya.formats.delta_superblock import PartHeader, encode_objects
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.object_name import ObjectName, ObjectType

A = "a" * 64
TREE, FILE = ObjectName(A, ObjectType.DIR_TREE), ObjectName(A, ObjectType.FILE)
OPERATIONS = (
    SpliceMetadata(TREE, 300, 0),
    SpliceFile(FILE, 0, 1, 2, 300),
    Open(FILE, 1, 2, 3),
    SetReadSource(5),
    Write(7, 2**64 - 1),
    Patch(8, 9),
    UnsetReadSource(),
    Close(),
)


def header(*names: ObjectName) -> PartHeader:
    return PartHeader(0, A, 1, 2, encode_objects(names))


def test_there_and_back():
    data = b"".join(map(encode_operation, OPERATIONS))
    assert data.startswith(b"S\xac\x02\0S\0\1\2\xac\x02o\1\2\3r\5w")
    assert data.endswith(b"B\x08\x09Rc")
    assert tuple(decode_operations(data, header(TREE, FILE, FILE))) == OPERATIONS


@pytest.mark.parametrize(
    ("data", "names", "message"),
    [
        (b"x", (), "Unknown opcode 120 at offset 0"),
        (b"R\0", (), "Unknown opcode 0 at offset 1"),
        (b"w\1", (), "Unexpected EOF reading varint"),
        (b"S\1", (TREE,), "Unexpected EOF reading varint"),
        (b"S\1\1", (), "The part makes only 0 objects"),
        (b"S\1\1S\1\1", (TREE,), "The part makes only 1 objects"),
        (b"o\0\0\1", (TREE,), "opcode open: a{64}.dirtree is no file"),
        (b"r" + b"\xff" * 11, (), "Unexpected EOF reading varint"),
    ],
)
def test_what_is_none(data, names, message):
    with pytest.raises(DeltaFormatError, match=message):
        list(decode_operations(data, header(*names)))


@pytest.mark.parametrize(
    "control", [PatchControl(0, 0, 0), PatchControl(1, 2, -3), PatchControl(2**40, 5, 2**62)]
)
def test_steps(control):
    assert PatchControl.decode(control.encode()) == control
    assert len(control.encode()) == 24


def test_steps_that_are_none():
    with pytest.raises(DeltaFormatError, match="cut short"):
        PatchControl.decode(b"\0" * 23)
    with pytest.raises(DeltaFormatError, match="negative"):
        PatchControl.decode(PatchControl(-1, 0, 0).encode())
    with pytest.raises(DeltaFormatError, match="negative"):
        PatchControl.decode(PatchControl(0, -1, 0).encode())
    with pytest.raises(DeltaFormatError, match="too large"):
        PatchControl(1 << 65, 0, 0).encode()
