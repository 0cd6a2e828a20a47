# SPDX-License-Identifier: Apache-2.0
"""Names of images, and the patterns that say which of them a role is trusted with.

::

    pattern      Uptane: fnmatch(3) as aktualizr calls it, where * takes slashes too
                 TUF: shell patterns part by part, where it does not
    hash prefix  hexadecimal beginnings of the SHA-256 of a name (TUF)

Source: aktualizr's sotauptaneclient.cc; TUF specification 1.0, section 4.5.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from typing import TYPE_CHECKING

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAME = 254
MAX_PATTERN = 254
_MAX_STARS = 16
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_RUNS = re.compile(r"\*+")


def check_name(name: str, what: str) -> None:
    """Refuse what could be another file than it seems, once it is written somewhere.

    Raises:
        MetadataInvalid: The name leads elsewhere, or is no plain text.
    """
    parts = name.split("/")
    bad = (
        not name
        or len(name) > MAX_NAME
        or bool(_CONTROL.search(name))
        or not {"", ".", ".."}.isdisjoint(parts)
    )
    if bad:
        raise MetadataInvalid(
            f"{what} has the name {name[:80]!r}, which no image may have",
            hint=f"names are relative, without '.', '..' and backslashes, up to {MAX_NAME} long",
        )


def check_pattern(pattern: str, what: str) -> None:
    """Refuse patterns that take long to compare with a name.

    Raises:
        MetadataInvalid: It is one.
    """
    if len(pattern) > MAX_PATTERN or len(_RUNS.findall(pattern)) > _MAX_STARS:
        raise MetadataInvalid(
            f"{what} has a pattern of more than {MAX_PATTERN} characters or {_MAX_STARS} stars"
        )


def matches(dialect: Dialect, pattern: str, name: str) -> bool:
    """Say whether a name is one that a pattern is for."""
    if dialect is Dialect.UPTANE:
        return fnmatch.fnmatchcase(name, pattern)
    patterns, parts = pattern.split("/"), name.split("/")
    return len(patterns) == len(parts) and all(
        fnmatch.fnmatchcase(part, one) for one, part in zip(patterns, parts, strict=True)
    )


def name_digest(name: str) -> str:
    """Return the digest of a name, of which hash prefixes are beginnings."""
    return hashlib.sha256(name.encode()).hexdigest()


def has_prefix(prefixes: Iterable[str], name: str) -> bool:
    """Say whether the digest of a name begins with one of some texts."""
    found = name_digest(name)
    return any(found.startswith(prefix.lower()) for prefix in prefixes)
