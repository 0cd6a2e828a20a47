# SPDX-License-Identifier: Apache-2.0
"""A few system calls in a child, so that neither its signals nor its directory are ours."""

from __future__ import annotations

import os
import signal
from errno import EINVAL
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def call_in_child(action: Callable[[], None]) -> int:
    """Do something in a child that signals for us do not reach.

    Returns:
        0, the ``errno`` of the OSError that it ended with, or -1 if the child was killed.
    """
    pid = os.fork()
    if pid == 0:
        status = EINVAL
        try:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            action()
            status = 0
        except OSError as exc:
            status = exc.errno or EINVAL
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
