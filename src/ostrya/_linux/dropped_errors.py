# SPDX-License-Identifier: Apache-2.0
"""Errors that signal handlers raise, raised again where Python drops them.

Python runs a handler between any two steps of the program, and so also inside a callback whose
errors it reports and drops: of a weak reference, a destructor, a C library. A request to end that
is made there would be lost.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

# How soon what was dropped is raised again.
_AGAIN_SECONDS = 0.01


@contextmanager
def raising_again(*kinds: type[BaseException]) -> Iterator[None]:
    """Raise errors of these kinds again if they are dropped; uses SIGALRM. For the main thread."""
    dropped: BaseException | None = None

    def keep(error: BaseException | None) -> bool:
        nonlocal dropped
        if not isinstance(error, kinds):
            return False
        dropped = error
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
        return True

    def raise_again(_number: int, _frame: FrameType | None) -> None:
        if dropped is not None:
            raise dropped.with_traceback(None)

    def unraisable(report: sys.UnraisableHookArgs) -> None:
        if not keep(report.exc_value):
            unraisable_before(report)

    def uncaught(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not keep(error):
            uncaught_before(kind, error, trace)

    unraisable_before, uncaught_before = sys.unraisablehook, sys.excepthook
    alarm_before = signal.signal(signal.SIGALRM, raise_again)
    sys.unraisablehook, sys.excepthook = unraisable, uncaught
    try:
        yield
    finally:
        sys.unraisablehook, sys.excepthook = unraisable_before, uncaught_before
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm_before)
