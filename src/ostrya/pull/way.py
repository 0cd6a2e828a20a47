# SPDX-License-Identifier: Apache-2.0
"""A way to a commit of a remote, as ``ways`` finds them, and all ways to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.delta.routes import RouteKind
    from ostrya.formats.checksum import Checksum
    from ostrya.pull.delta_found import DeltaTarget, FoundDelta


class Way(NamedTuple):
    """What a way to a commit costs, and what it needs.

    Attributes:
        kind: Which way.
        steps: The commits that it leads to, in their order.
        size: Bytes to fetch; None if that cannot be told.
        requests: How many; None if that cannot be told.
        memory: What applying takes, in bytes; None where a delta does not say.
        space: Bytes of what is written, before compression; None if that cannot be told.
        is_estimate: Whether the size is about right, not exact.
        obstacle: Why it cannot be gone, in words; None if it can.
        deltas: What is to be applied, in this order.
    """

    kind: RouteKind
    steps: tuple[Checksum, ...]
    size: int | None
    requests: int | None
    memory: int | None
    space: int | None
    is_estimate: bool
    obstacle: str | None
    deltas: tuple[FoundDelta, ...]


class WaysTo(NamedTuple):
    """The ways to a commit, the cheapest first; none if it is here, whole."""

    target: DeltaTarget
    ways: tuple[Way, ...]

    @property
    def is_here(self) -> bool:
        """Whether there is nowhere to go."""
        return not self.ways

    def cheapest(self, *, with_delta: bool = False) -> Way | None:
        """Return the first that can be gone; if wished, of those with deltas."""
        return next(
            (way for way in self.ways if way.obstacle is None and (way.deltas or not with_delta)),
            None,
        )
