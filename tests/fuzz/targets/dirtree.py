# SPDX-License-Identifier: Apache-2.0
"""Entries of directories, by the hot codec and by the general one."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.dirtree import DirTree
from ostrya.formats.gvariant.decode import decode_variant


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        value = DirTree.decode(data)
    except FormatError as exc:
        return exc
    assert value.encode() == data
    files, dirs = decode_variant("(a(say)a(sayay))", data)
    assert value.files == tuple((name, raw.hex()) for name, raw in files)
    assert value.dirs == tuple((name, tree.hex(), meta.hex()) for name, tree, meta in dirs)
    return value
