# SPDX-License-Identifier: Apache-2.0
"""What is piped into us."""

from __future__ import annotations

import sys
from typing import IO

from ostrya.errors import OstryaError


def standard_input() -> IO[bytes]:
    """Return the standard input, to read bytes from.

    Raises:
        OstryaError: Whoever started us has closed it.
    """
    # Its type hides that a process may be started without it.
    stream: object = sys.stdin
    if stream is None:
        raise OstryaError("The standard input is closed")
    return sys.stdin.buffer
