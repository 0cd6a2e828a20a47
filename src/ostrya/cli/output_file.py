# SPDX-License-Identifier: Apache-2.0
"""Files that a verb writes because the user named them."""

from __future__ import annotations

from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What only writing can end with; other errors may be those of reading the repository.
_NO_ROOM = frozenset({ENOSPC, EDQUOT, EFBIG})


@contextmanager
def naming_output(path: str) -> Iterator[None]:
    """Put the path of what is written into an error that says that there is no room."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _NO_ROOM and not isinstance(exc.filename, str | bytes):
            exc.filename = path
        raise
