# SPDX-License-Identifier: Apache-2.0
"""Ending in order when a signal asks for it: what is under way is undone first."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from ostrya.cli.exit_codes import Terminated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
# How soon a request to end that got lost is made again.
_AGAIN_SECONDS = 0.01


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception, as Python does with Ctrl-C.

    A signal that is ignored, as under ``nohup``, stays so.
    """

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        raise Terminated(number)

    previous = {}
    try:
        for number in _SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                previous[number] = signal.signal(number, end)
        with _raising_again_what_is_dropped():
            yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _raising_again_what_is_dropped() -> Iterator[None]:
    """See that a request to end is not dropped.

    Python runs a handler between any two steps of the program, and so also inside a callback whose
    errors it reports and drops: of a weak reference, a destructor, a C library.
    """
    dropped: BaseException | None = None

    def keep(error: BaseException | None) -> bool:
        nonlocal dropped
        if not isinstance(error, Terminated | KeyboardInterrupt):
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
