# SPDX-License-Identifier: Apache-2.0
"""Payloads of parts, their operations and the steps of patches."""

from __future__ import annotations

from itertools import chain

from ostrya.formats.delta_operations import (
    CONTROL_BYTES,
    PatchControl,
    decode_operations,
    encode_operation,
)
from ostrya.formats.delta_part import (
    TAIL_BYTES,
    decode_modes,
    decode_xattr_set,
    decode_xattr_sets,
    encode_modes,
    encode_part,
    part_places,
)
from ostrya.formats.delta_superblock import PartHeader
from ostrya.formats.errors import DeltaFormatError

# Metadata and files in turn.
HEADER = PartHeader(0, "a" * 64, 1, 1, (b"\2" + bytes(32) + b"\1" + bytes(32)) * 1000)


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode the tables and the operations; what decodes must encode to the same bytes."""
    try:
        places = part_places(len(data), data[-TAIL_BYTES:])
        modes, xattrs, body, operations = (data[start:stop] for start, stop in places)
        assert encode_modes(decode_modes(modes)) == modes
        sets = [decode_xattr_set(one) for one in decode_xattr_sets(xattrs)]
        assert encode_part(decode_modes(modes), sets, body, operations) == data
        found = list(decode_operations(operations, HEADER))
        steps = [PatchControl.decode(body[:CONTROL_BYTES])] if body else []
    except DeltaFormatError as exc:
        return exc
    for operation in found:
        assert all(number >= 0 for number in operation if isinstance(number, int))
    assert len(b"".join(map(encode_operation, found))) <= len(operations)
    for number in chain.from_iterable(steps):
        assert abs(number) < 1 << 63
    return found
