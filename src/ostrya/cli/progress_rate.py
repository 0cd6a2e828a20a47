# SPDX-License-Identifier: Apache-2.0
"""How fast bytes come, and how long the rest takes. Pure: no clock."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 5.0


class Rate:
    """Bytes a second, over the last few seconds."""

    __slots__ = ("_samples",)

    def __init__(self, now: float) -> None:
        self._samples: deque[tuple[float, int]] = deque([(now, 0)])

    def note(self, now: float, done: int) -> None:
        """Take note of how many bytes have come in all."""
        samples = self._samples
        samples.append((now, done))
        while len(samples) > 2 and now - samples[1][0] >= _WINDOW_S:
            samples.popleft()

    @property
    def per_second(self) -> int:
        """Bytes a second; 0 while there is nothing to tell it from."""
        (start, before), (end, after) = self._samples[0], self._samples[-1]
        return int((after - before) / (end - start)) if end > start else 0


def format_left(elapsed_s: float, done: int, total: int) -> str:
    """Return how long the rest takes if it goes on like this, ``h:mm:ss``; empty if unknown."""
    if not 0 < done < total or elapsed_s <= 0:
        return ""
    seconds = int(elapsed_s * (total - done) / done)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
