# SPDX-License-Identifier: Apache-2.0
"""``SHA256SUMS``, as ``sha256sum -c`` reads it.

Several builds may write into one folder: lines of files that are still there, and that this build
did not write, are kept.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"([0-9a-f]{64})  ([^/\0]+)")
_MOST_BYTES = 1 << 20


def with_others(path: str, sums: Mapping[str, str]) -> bytes:
    """Return the text of a file of checksums.

    Args:
        path: Where it will be; what is there already is read.
        sums: By file name, of those that were written now.

    Raises:
        OSError: The one that is there cannot be read.
    """
    kept = {name: digest for name, digest in _read(path).items() if _is_beside(path, name)}
    found = {**kept, **sums}
    return "".join(f"{found[name]}  {name}\n" for name in sorted(found)).encode(
        "utf-8", "surrogateescape"
    )


def _read(path: str) -> dict[str, str]:
    try:
        with open(path, "rb") as stream:
            data = stream.read(_MOST_BYTES)
    except FileNotFoundError:
        return {}
    lines = data.decode("utf-8", "surrogateescape").splitlines()
    found = (_LINE.fullmatch(line) for line in lines)
    return {match[2]: match[1] for match in found if match is not None}


def _is_beside(path: str, name: str) -> bool:
    return os.path.lexists(os.path.join(os.path.dirname(os.path.abspath(path)), name))
