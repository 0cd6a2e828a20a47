# SPDX-License-Identifier: Apache-2.0
"""The header of an HTTP answer, and what it says about the body. Pure.

Source: RFC 9110, sections 8.4 (Content-Encoding), 8.8 (validators) and 14.4 (Content-Range).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)\Z")
_DATE = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"\Z')
_WANTED = frozenset(
    {b"etag", b"last-modified", b"content-range", b"content-encoding", b"retry-after"}
)
_SECONDS = re.compile(r"[0-9]{1,9}")


class ContentRange(NamedTuple):
    """Which bytes of a whole an answer holds; ``total`` is None if the server does not say."""

    first: int
    last: int
    total: int | None


class Header(NamedTuple):
    """The fields of a header that matter here.

    Attributes:
        status: The code of its first line; 0 if there is none.
        etag: The version's tag, as it came.
        last_modified: Seconds since the epoch.
        content_range: Which part of the whole this is.
        encoding: How the body is coded, in lower case; empty when it is not.
        retry_after: When to ask again, as it came: seconds, or a date; empty if nothing is said.
    """

    status: int = 0
    etag: str | None = None
    last_modified: int | None = None
    content_range: ContentRange | None = None
    encoding: str = ""
    retry_after: str = ""

    def pause_s(self, now: float) -> float:
        """Say how long the server asks to wait, at a time in seconds since the epoch."""
        if _SECONDS.fullmatch(self.retry_after):
            return float(self.retry_after)
        date = parse_date(self.retry_after)
        return 0.0 if date is None else max(0.0, date - now)

    @classmethod
    def parse(cls, lines: Iterable[bytes]) -> Self:
        """Parse the lines that came, of which those after the last status line count."""
        status = 0
        fields: dict[bytes, str] = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            if line.startswith(b"HTTP/"):
                status = parse_status(line)
                fields.clear()
            elif colon and (lower := name.lower()) in _WANTED:
                fields[lower] = value.strip().decode("latin-1")
        if not fields:
            return cls(status)
        return cls(
            status,
            fields.get(b"etag") or None,
            parse_date(fields.get(b"last-modified", "")),
            parse_content_range(fields.get(b"content-range", "")),
            fields.get(b"content-encoding", "").lower(),
            fields.get(b"retry-after", ""),
        )


def parse_status(line: bytes) -> int:
    """Return the code of a status line, 0 if it has none."""
    words = line.split(maxsplit=2)
    return int(words[1]) if len(words) > 1 and re.fullmatch(rb"[0-9]{3}", words[1]) else 0


def parse_content_range(text: str) -> ContentRange | None:
    """Parse a ``Content-Range``; None for what makes no sense."""
    match = _CONTENT_RANGE.match(text)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    total = None if match[3] is None else int(match[3])
    if last < first or (total is not None and total <= last):
        return None
    return ContentRange(first, last, total)


def parse_date(text: str) -> int | None:
    """Parse an HTTP date in the form that all senders use today; None for anything else."""
    from datetime import UTC, datetime

    match = _DATE.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[i]) for i in (1, 3, 4, 5, 6))
    month = _MONTHS.index(match[2]) + 1
    if not (1 <= day <= 31 and year >= 1970 and hour < 24 and minute < 60 and second <= 60):
        return None
    # Counted from the first of the month: there is a second 60 now and then.
    first = int(datetime(year, month, 1, tzinfo=UTC).timestamp())
    return first + (((day - 1) * 24 + hour) * 60 + minute) * 60 + second


def format_date(timestamp: int) -> str:
    """Format seconds since the epoch as an HTTP date."""
    from datetime import UTC, datetime

    # Not strftime: names of days and months follow the locale there.
    when = datetime.fromtimestamp(timestamp, UTC)
    day, month = _DAYS[when.weekday()], _MONTHS[when.month - 1]
    return f"{day}, {when.day:02} {month} {when.year:04} {when:%H:%M:%S} GMT"


def is_strong_tag(etag: str | None) -> bool:
    """Say whether a tag vouches for every byte, so that parts under it fit together."""
    return etag is not None and _STRONG_TAG.match(etag) is not None


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
