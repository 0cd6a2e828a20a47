# SPDX-License-Identifier: Apache-2.0
"""Commits, their size entries and bindings."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.commit import (
    Commit,
    collection_binding,
    content_checksum,
    decode_sizes,
    encode_sizes,
    ref_bindings,
)
from ostrya.formats.gvariant.vardict import VarDict


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        value = Commit.decode(data)
    except FormatError as exc:
        return exc
    assert value.encode() == data
    assert len(content_checksum(value)) == 64
    ref_bindings(value.metadata)
    collection_binding(value.metadata)
    try:
        sizes = decode_sizes(value.metadata)
    except FormatError as exc:
        return exc
    if sizes:
        again = VarDict.of({"ostree.sizes": encode_sizes(sizes)})
        assert decode_sizes(again) == tuple(sorted(sizes))
    return value
