# SPDX-License-Identifier: Apache-2.0
"""Ending in order when a signal asks for it: what is under way is undone first."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from ostrya._linux.dropped_errors import raising_again
from ostrya.cli.exit_codes import Terminated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


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
        with raising_again(Terminated, KeyboardInterrupt):
            yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
