# SPDX-License-Identifier: Apache-2.0
"""The head of a request: bytes to values, strictly. Pure.

A head ends with an empty line; lines end with CR LF. What another server might read otherwise is
refused: folded lines, blanks before a colon, lone line feeds, a second ``Host``.

Source: RFC 9112, sections 2 to 6.
"""

from __future__ import annotations

import re

from ostrya.named_tuple import NamedTuple

MAX_HEAD_BYTES = 16 * 1024
"""A longer head is refused."""
MAX_TARGET_BYTES = 4 * 1024
"""A longer target is refused."""
HEAD_END = b"\r\n\r\n"
_MAX_FIELDS = 100
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])\Z")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*\Z")
_ONLY_ONCE = frozenset({"host", "range", "if-range", "content-length", "transfer-encoding"})


class BadRequestError(Exception):
    """A request is answered with an error and the end of the connection.

    Attributes:
        status: Which error.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class HttpRequest(NamedTuple):
    """What is asked.

    Attributes:
        method: As it came.
        target: As it came, with its escapes.
        fields: By names in lower case; those that came twice are joined with commas.
        keep_alive: The client wants to ask again on this connection.
    """

    method: str
    target: str
    fields: dict[str, str]
    keep_alive: bool


def parse_request(head: bytes) -> HttpRequest:
    """Parse a head without the empty line that ends it.

    Raises:
        BadRequestError: It breaks the protocol, or asks for more than is done here.
    """
    first, *lines = head.split(b"\r\n")
    match = _LINE.match(first)
    if match is None:
        raise BadRequestError(414 if len(first) > MAX_TARGET_BYTES else 400)
    if match[3] != b"1":
        raise BadRequestError(505)
    if len(match[2]) > MAX_TARGET_BYTES:
        raise BadRequestError(414)
    if len(lines) > _MAX_FIELDS:
        raise BadRequestError(431)
    fields: dict[str, str] = {}
    for line in lines:
        field = _FIELD.match(line)
        if field is None:
            raise BadRequestError(400)
        name, value = field[1].decode("ascii").lower(), field[2].decode("latin-1")
        if name in fields:
            if name in _ONLY_ONCE:
                raise BadRequestError(400)
            value = f"{fields[name]}, {value}"
        fields[name] = value
    is_new = match[4] != b"0"
    if is_new and "host" not in fields:
        raise BadRequestError(400)
    words = {word.strip().lower() for word in fields.get("connection", "").split(",")}
    keep_alive = "close" not in words and (is_new or "keep-alive" in words)
    # A body would have to be read before the next request; nothing that is served has use for one.
    has_body = "transfer-encoding" in fields or fields.get("content-length", "0") != "0"
    target = match[2].decode("ascii")
    return HttpRequest(match[1].decode("ascii"), target, fields, keep_alive and not has_body)
