# SPDX-License-Identifier: Apache-2.0
"""Headers of answers, and bodies that were compressed for the journey."""

from __future__ import annotations

from ostrya.fetch.answer import Header, format_date, is_strong_tag
from ostrya.fetch.coding import inflate

LIMIT = 1 << 20


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Parse the lines up to an empty one; inflate what follows, up to a limit."""
    head, _, body = data.partition(b"\r\n\r\n")
    header = Header.parse(line + b"\r\n" for line in head.split(b"\r\n"))
    assert 0 <= header.status <= 999
    is_strong_tag(header.etag)
    if header.last_modified is not None:
        format_date(header.last_modified)
    part = header.content_range
    if part is not None:
        assert 0 <= part.first <= part.last
        assert part.total is None or part.last < part.total
    size = 0
    try:
        for piece in inflate([body[:100], body[100:]]):
            assert 0 < len(piece) <= 64 * 1024
            size += len(piece)
            if size > LIMIT:
                break
    except ValueError as exc:
        return exc
    return header
