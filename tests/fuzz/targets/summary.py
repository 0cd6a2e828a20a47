# SPDX-License-Identifier: Apache-2.0
"""Summaries and what they say of refs and collections."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.summary import Summary


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        value = Summary.decode(data)
        collections = value.collection_map()
    except FormatError as exc:
        return exc
    assert value.encode() == data
    for ref in value.refs:
        assert value.find(ref.name) is not None
        assert ref.timestamp is None or -1 << 63 <= ref.timestamp < 1 << 63
    assert isinstance(collections, dict)
    return (value.last_modified, value.expires, value.collection_id)
