# SPDX-License-Identifier: Apache-2.0
"""Superblocks of static deltas, signed and not, and indexes of them."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.delta_index import decode_delta_index
from ostrya.formats.delta_part import max_payload_bytes
from ostrya.formats.delta_signed import decode_signed
from ostrya.formats.delta_superblock import decode_superblock
from ostrya.formats.errors import DeltaFormatError


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        return decode_delta_index(data)
    except DeltaFormatError:
        pass
    try:
        block, _ = decode_superblock(data)
    except DeltaFormatError as exc:
        return exc
    signed = decode_signed(data)
    assert block.encode() == (data if signed is None else bytes(signed.superblock))
    if signed is not None:
        assert signed.encode() == data
    for index, part in enumerate(block.parts):
        assert max_payload_bytes(part) > part.unpacked_size
        block.inline_part(index)
        try:
            assert len(list(part.object_names())) == part.object_count
        except FormatError as exc:
            return exc
    return block
