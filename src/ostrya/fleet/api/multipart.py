# SPDX-License-Identifier: Apache-2.0
"""A form with one file in it, as garage-push sends objects: taken apart while it arrives.

Source: RFC 7578, as far as one field needs it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.fleet.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_MAX_HEAD_BYTES = 8192


def boundary_in(content_type: str) -> str:
    """Return what parts the fields of a form; empty if it is none."""
    found = _BOUNDARY.match(content_type)
    return found[1] if found else ""


async def file_of(pieces: AsyncIterator[bytes], boundary: str) -> AsyncIterator[bytes]:
    """Yield the content of the one field of a form.

    Raises:
        BadRequest: It is no form, or has other fields.
    """
    end = b"\r\n--" + boundary.encode()
    waiting = b""
    begun = False
    async for piece in pieces:
        waiting += piece
        if not begun:
            head, blank, rest = waiting.partition(b"\r\n\r\n")
            if not blank:
                if len(waiting) > _MAX_HEAD_BYTES:
                    break
                continue
            if not head.lstrip(b"\r\n").startswith(end[2:]):
                break
            begun, waiting = True, rest
        keep = len(end) + 8
        if len(waiting) > keep and end not in waiting:
            yield waiting[:-keep]
            waiting = waiting[-keep:]
    content, found, tail = waiting.partition(end)
    if not begun or not found or tail.strip() != b"--":
        raise BadRequest("it is no form with one file in it", code="invalid_form")
    if content:
        yield content
