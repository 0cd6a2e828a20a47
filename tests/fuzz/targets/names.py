# SPDX-License-Identifier: Apache-2.0
"""Refs, refspecs, remotes, collections, checksums, object names: all that is text."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.checksum import check_checksum, from_modified_base64, is_checksum
from ostrya.formats.dirtree import check_filename
from ostrya.formats.object_name import parse_loose_name, parse_object_name
from ostrya.formats.refs import (
    check_collection_id,
    check_ref_fragment,
    check_ref_name,
    check_remote_name,
    parse_refspec,
)

CHECKS = (
    check_ref_name,
    check_ref_fragment,
    parse_refspec,
    check_remote_name,
    check_collection_id,
    check_checksum,
    from_modified_base64,
    parse_object_name,
    check_filename,
)


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Check one kind of name; what is refused must be refused in a sentence that can be printed."""
    try:
        kind, text = data[:1], data[1:].decode("utf-8", "surrogateescape")
        check = CHECKS[kind[0] % len(CHECKS) if kind else 0]
        is_checksum(text)
        parse_loose_name(text[:2], text[2:])
        value = check(text)
    except FormatError as exc:
        exc.message.encode("utf-8")
        return exc
    return value
