# SPDX-License-Identifier: Apache-2.0
r"""The bytes that get signed: one text for each value.

::

    Uptane   keys sorted, no blanks, ASCII: \u00e9, control characters by their short escapes
    TUF      keys sorted, no blanks, UTF-8: only " and \ are escaped, a newline is a newline

Source: aktualizr's Utils::jsonToCanonicalStr, which is jsoncpp's FastWriter; wiki.laptop.org,
Canonical JSON, as python-tuf has it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ostrya.uptane.metadata.dialect import Dialect

if TYPE_CHECKING:
    from ostrya.uptane.metadata.json_text import Json

_DELETE = re.compile(r"(?<!\\)((?:\\\\)*)\\u007f")
_SCALARS = {None: "null", True: "true", False: "false"}


def canonical_bytes(dialect: Dialect, value: Json) -> bytes:
    """Return the bytes of a value that a signature is over."""
    if dialect is Dialect.UPTANE:
        return ascii_bytes(value)
    parts: list[str] = []
    _write_olpc(value, parts)
    return "".join(parts).encode()


def ascii_bytes(value: Json) -> bytes:
    """Return a value as JSON that is the same wherever it is written: sorted, short, ASCII.

    Metadata is kept and served in this form in both dialects, so that digests of the file are
    digests of what a client of either kind makes of it.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    if r"\u007f" in text:
        # jsoncpp leaves this one as it is.
        text = _DELETE.sub("\\1\x7f", text)
    return text.encode()


def _write_olpc(value: Json, parts: list[str]) -> None:
    if value is None or isinstance(value, bool):
        parts.append(_SCALARS[value])
    elif isinstance(value, int):
        parts.append(str(value))
    elif isinstance(value, str):
        parts.append(_quote(value))
    elif isinstance(value, list):
        parts.append("[")
        for at, item in enumerate(value):
            if at:
                parts.append(",")
            _write_olpc(item, parts)
        parts.append("]")
    else:
        parts.append("{")
        for at, key in enumerate(sorted(value)):
            parts.append(f"{',' if at else ''}{_quote(key)}:")
            _write_olpc(value[key], parts)
        parts.append("}")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
