# SPDX-License-Identifier: Apache-2.0
"""Files in answers: whole or a range, in pieces, and never more than one piece in memory.

Source: RFC 9110, section 14.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from typing import TYPE_CHECKING

from ostrya.fleet.api.messages import BYTES, Answer, Request, send_answer
from ostrya.fleet.errors import NotFound

if TYPE_CHECKING:
    from ostrya.fleet.api.messages import Send

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PIECE_BYTES = 64 * 1024


async def send_file(send: Send, request: Request, fd: int) -> None:
    """Send a file that is open, and close it.

    Raises:
        NotFound: It is no plain file.
    """
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise NotFound("there is no such file", code="missing_entity")
        size = found.st_size
        etag = f'"{found.st_mtime_ns:x}-{size:x}"'.encode()
        headers = [(b"accept-ranges", b"bytes"), (b"etag", etag)]
        status, start, end = 200, 0, size
        wanted = parse_range(request.header("range"), size)
        if request.header("if-range") not in {"", etag.decode()}:
            wanted = None
        if wanted == ():
            text = f"bytes */{size}".encode()
            await send_answer(send, Answer(416, b"", b"", ((b"content-range", text),)))
            return
        if wanted:
            status, (start, end) = 206, wanted
            headers.append((b"content-range", f"bytes {start}-{end - 1}/{size}".encode()))
        headers.append((b"content-type", BYTES))
        headers.append((b"content-length", str(end - start).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if request.method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await _send_pieces(send, request, fd, (start, end))
    finally:
        os.close(fd)


async def _send_pieces(send: Send, request: Request, fd: int, part: tuple[int, int]) -> None:
    start, end = part
    at = start
    # Who has hung up takes nothing more, and nobody else would notice.
    while not request.is_gone():
        count = min(_PIECE_BYTES, end - at)
        # Small files are in the cache of the kernel: a thread would cost more than it saves.
        if end - start <= _PIECE_BYTES:
            piece = os.pread(fd, count, at)
        else:
            piece = await asyncio.to_thread(os.pread, fd, count, at)
        at += len(piece)
        more = at < end and bool(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": more})
        if not more:
            return


def parse_range(header: str, size: int) -> tuple[int, int] | tuple[()] | None:
    """Return from where to where is wanted; empty if there is nothing there, None for all."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        count = min(int(found[2]), size)
        return (size - count, size) if count else ()
    start = int(found[1])
    end = min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < start:
        return None
    return (start, end) if start < size else ()
