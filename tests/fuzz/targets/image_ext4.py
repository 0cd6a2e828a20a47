# SPDX-License-Identifier: Apache-2.0
"""A small ext4 in which something is changed: all files are read, all blocks in use listed."""

from __future__ import annotations

from patches import base, patched

from ostrya.image.errors import DiskError
from ostrya.image.reading.ext4 import Ext4
from ostrya.image.reading.files import FileKind, View
from ostrya.image.reading.sources import BytesSource

MOST = 1 << 20


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Walk it, as far as it can be walked."""
    image = patched(base("ext4"), data)
    try:
        files = Ext4(BytesSource(image))
        view, seen = View(files), 0
        stack = [view.find("/")]
        while stack and seen < 300:
            for one in view.entries(stack.pop()):
                seen += 1
                files.xattrs(one.entry)
                if one.entry.is_dir:
                    stack.append(one)
                elif one.entry.kind is FileKind.LINK:
                    files.target(one.entry)
                elif one.entry.kind is FileKind.FILE:
                    left = MOST
                    for chunk in files.chunks(one.entry):
                        left -= len(chunk)
                        if left < 0:
                            break
        last = 0
        for first, count in files.layout.used_blocks():
            assert first >= last
            assert 0 < count <= files.layout.blocks - first
            last = first + count
    except DiskError as exc:
        return exc
    return seen
