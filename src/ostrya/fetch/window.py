# SPDX-License-Identifier: Apache-2.0
"""How many requests to have in flight, learnt from the link and the server. Pure: no clock.

Rounds of as many completions as the window is wide are compared. While a wider window moves clearly
more, it doubles; once it does not, it grows by a few at a time, and stands still when things get
slower. A server that says that it has too much to do, or that refuses connections, halves it.
"""

from __future__ import annotations

START = 8
MAX_CONNECTIONS = 64
"""Requests in flight where each takes a connection."""
MAX_STREAMS = 128
"""Requests in flight where one connection carries many."""
_SMALLEST = 2
_STEP = 4
_GAIN = 1.15
_LOSS = 0.8
# What a request costs besides its bytes, so that small objects and large ones can be compared.
_REQUEST_BYTES = 16 * 1024


class Window:
    """A width between ``START`` and a limit.

    Attributes:
        width: How many requests to have in flight.
        limit: Which the width does not exceed.
    """

    __slots__ = ("_best", "_cost", "_deaf", "_doubling", "_left", "_since", "limit", "width")

    def __init__(self, now: float, *, limit: int = MAX_CONNECTIONS) -> None:
        self.limit = limit
        self.width = min(START, limit)
        self._doubling = True
        self._best = 0.0
        self._deaf = 0
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._since = now
        self._left = self.width
        self._cost = 0

    def completed(self, now: float, body_bytes: int) -> None:
        """Take note of one answer."""
        self._cost += body_bytes + _REQUEST_BYTES
        self._left -= 1
        self._deaf = max(0, self._deaf - 1)
        if self._left > 0 or now <= self._since:
            return
        rate = self._cost / (now - self._since)
        if self._doubling and rate >= self._best * _GAIN:
            self._widen(self.width)
        elif rate >= self._best * _LOSS:
            self._doubling = False
            self._widen(_STEP)
        else:
            # Let an old record fade: the link may have become another one.
            self._best *= _LOSS
        self._best = max(self._best, rate)
        self._begin(now)

    def _widen(self, step: int) -> None:
        self.width = min(self.limit, self.width + step)

    def overloaded(self, now: float) -> None:
        """Take note of a server that has too much to do.

        What was in flight already when it first said so may say the same, and is not heard.
        """
        if self._deaf:
            self._deaf -= 1
            return
        self._deaf = self.width - 1
        self.width = max(_SMALLEST, self.width // 2)
        self._doubling = False
        self._begin(now)
