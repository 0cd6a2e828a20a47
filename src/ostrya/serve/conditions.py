# SPDX-License-Identifier: Apache-2.0
"""What of a file a request gets: all, a part, or word that nothing has changed. Pure.

Source: RFC 9110, sections 13 (conditional requests) and 14 (ranges).
"""

from __future__ import annotations

import re
from email.utils import formatdate, mktime_tz, parsedate_tz
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*\Z", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


class Version(NamedTuple):
    """One state of a file.

    Attributes:
        size: In bytes.
        modified: Seconds since the epoch.
        etag: Its tag, with the quotes.
    """

    size: int
    modified: int
    etag: str


class Extent(NamedTuple):
    """What to send: the status, and which bytes."""

    status: int
    start: int
    length: int


def choose_extent(version: Version, method: str, fields: Mapping[str, str]) -> Extent:
    """Say what of a version answers a request with these fields."""
    if _is_unchanged(version, fields):
        return Extent(304, 0, 0)
    whole = Extent(200, 0, version.size)
    if method != "GET" or "range" not in fields or not _may_be_part(version, fields):
        return whole
    return parse_range(fields["range"], version.size) or whole


def parse_range(text: str, size: int) -> Extent | None:
    """Parse a ``Range``; None for what is none, and for several at once: all is sent then.

    The status is 416 for a range that begins behind the end.
    """
    match = _RANGE.match(text)
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        return Extent(206, size - length, length) if length else Extent(416, 0, 0)
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    if first >= size:
        return Extent(416, 0, 0)
    return Extent(206, first, min(last, size - 1) - first + 1)


def http_date(timestamp: int) -> str:
    """Format seconds since the epoch as headers have them."""
    return formatdate(timestamp, usegmt=True)


def _is_unchanged(version: Version, fields: Mapping[str, str]) -> bool:
    tags = fields.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or version.etag in _TAG.findall(tags)
    since = _parse_date(fields.get("if-modified-since", ""))
    return since is not None and version.modified <= since


def _may_be_part(version: Version, fields: Mapping[str, str]) -> bool:
    """Say whether a part of this version fits what the client has of it already."""
    wanted = fields.get("if-range")
    if wanted is None or wanted == version.etag:
        return True
    return not wanted.endswith('"') and _parse_date(wanted) == version.modified


def _parse_date(text: str) -> int | None:
    try:
        fields = parsedate_tz(text)
        return None if fields is None else mktime_tz(fields)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
