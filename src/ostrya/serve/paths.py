# SPDX-License-Identifier: Apache-2.0
"""From the target of a request to a path below the repository, and what may be kept of it. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

MAX_DEPTH = 32
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# A slash that is escaped is part of a name; no name has one.
_HIDDEN_SLASH = re.compile(r"%(?:2f|00)", re.IGNORECASE)
_PRIVATE_FOLDERS = frozenset({"tmp", "state"})
_PRIVATE_ENDINGS = (".lock", ".cookies.txt")
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


def path_of(target: str, below: str = "") -> str | None:
    """Return the path that a target names, relative to the repository.

    Args:
        target: Of a request.
        below: The path that the repository is served at, without slashes around it; empty for the
            root.

    Returns:
        None for what is not shown whether it is there or not: names that begin with a dot, locks,
        what is being written, cookies; and for what names no file at all, or none of the
        repository.
    """
    absolute = _ABSOLUTE.match(target)
    if absolute is not None:
        target = target[absolute.end() :]
    escaped = re.split(r"[?#]", target, maxsplit=1)[0]
    if not escaped.startswith("/") or _BAD_ESCAPE.search(escaped) or _HIDDEN_SLASH.search(escaped):
        return None
    # Addresses of repositories may end with a slash, and clients add their own.
    parts = [unquote_to_bytes(part) for part in escaped.split("/") if part]
    if not parts or len(parts) > MAX_DEPTH or escaped.endswith("/"):
        return None
    names = [part.decode("utf-8", "surrogateescape") for part in parts]
    prefix = below.split("/") if below else []
    if names[: len(prefix)] != prefix or len(names) == len(prefix):
        return None
    names = names[len(prefix) :]
    if any(name.startswith(".") for name in names) or names[0] in _PRIVATE_FOLDERS:
        return None
    # Below, it is a ref that is called so.
    if len(names) == 1 and names[0].endswith(_PRIVATE_ENDINGS):
        return None
    return "/".join(names)


def cache_control(path: str) -> str:
    """Return how long an answer may be kept: objects and deltas for ever, the rest not unasked."""
    folder, _, rest = path.partition("/")
    # Detached metadata belongs to a commit, but may change: a signature is added.
    never_changes = folder in {"objects", "deltas"} and rest and not path.endswith(".commitmeta")
    return _FOR_EVER if never_changes else _ASK_AGAIN
