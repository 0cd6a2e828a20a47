# SPDX-License-Identifier: Apache-2.0
"""Steps that must not be torn apart by Ctrl-C, and children whose end must not be forgotten."""

from __future__ import annotations

import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Let signals that end a command wait until a step is done, and what it made is noted."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def keep_ended_children() -> Callable[[], None]:
    """Let the kernel keep the status of children until it is asked for; return the way back.

    It keeps none where SIGCHLD is ignored, as a process may inherit it from its parent.
    """
    if signal.getsignal(signal.SIGCHLD) != signal.SIG_IGN:
        return lambda: None
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    except ValueError:
        # Only the main thread may.
        return lambda: None
    return _ignore_ended_children


def _ignore_ended_children() -> None:
    # A generator that nobody finished may be closed in any thread.
    with suppress(ValueError):
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
