# SPDX-License-Identifier: Apache-2.0
"""A small FAT in which something is changed: all files are read, all that is in use listed."""

from __future__ import annotations

from patches import base, patched

from ostrya.image.errors import DiskError
from ostrya.image.reading.fat import Fat
from ostrya.image.reading.files import View
from ostrya.image.reading.sources import BytesSource


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Walk it, as far as it can be walked."""
    image = patched(base("fat"), data)
    try:
        files = Fat(BytesSource(image))
        view, seen = View(files), 0
        stack = [view.find("/")]
        while stack and seen < 300:
            for one in view.entries(stack.pop()):
                seen += 1
                if one.entry.is_dir:
                    stack.append(one)
                else:
                    size = sum(len(chunk) for chunk in files.chunks(one.entry))
                    assert size == one.entry.size_bytes
        used = sum(size for _, size in files.used_ranges())
        assert used <= files.size_bytes <= len(image)
        assert len(files.label) <= 11
    except DiskError as exc:
        return exc
    return seen
