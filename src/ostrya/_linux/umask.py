# SPDX-License-Identifier: Apache-2.0
"""The file mode creation mask, for a while."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Have another mask, in all threads of this process, until the end of the block."""
    old = os.umask(mask)
    try:
        yield
    finally:
        os.umask(old)
