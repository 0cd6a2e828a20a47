# SPDX-License-Identifier: Apache-2.0
"""The part of a pull that deltas play, before objects are asked for one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.pull.errors import NoDelta, NoWay
from ostrya.pull.options import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ostrya.formats.checksum import Checksum
    from ostrya.pull.delta_found import DeltaTarget
    from ostrya.pull.delta_pull import DeltaPull
    from ostrya.pull.engine import CommitTaker
    from ostrya.pull.options import PullOptions
    from ostrya.pull.way import Way, WaysTo
    from ostrya.pull.ways import WayFinder
    from ostrya.repo.transaction import Transaction


class DeltaStage:
    """Chooses deltas and applies them; what they do not bring is left to others."""

    __slots__ = ("_deltas", "_make_finder", "_options", "_usable")

    def __init__(
        self,
        deltas: DeltaPull,
        make_finder: Callable[[], WayFinder],
        options: PullOptions,
        *,
        usable: bool,
    ) -> None:
        """Prepare.

        Args:
            deltas: Gets deltas.
            make_finder: Makes who compares them with other ways.
            options: How to pull.
            usable: Whether deltas may be used at all.
        """
        self._deltas = deltas
        self._make_finder = make_finder
        self._options = options
        self._usable = usable

    def ways(self, targets: Iterable[DeltaTarget]) -> tuple[WaysTo, ...]:
        """Return what each way to each target costs.

        Raises:
            FetchError: What is needed to know cannot be had.
            IntegrityError: It is not what it should be.
        """
        finder = self._make_finder()
        return tuple(finder.find(target) for target in targets)

    def take(
        self, tx: Transaction, targets: Iterable[DeltaTarget], commits: CommitTaker
    ) -> frozenset[Checksum]:
        """Apply deltas that lead to the targets; return what need not be looked at again.

        Raises:
            NoDelta: There is none, and one is required.
            NoWay: The cheapest way is wanted, and none fits.
            FetchError: Something cannot be had.
            IntegrityError: Something is not what it should be.
        """
        if self._options.plan is Plan.CHEAPEST:
            return self._take_cheapest(tx, targets, commits)
        if not self._usable:
            return frozenset()
        options = self._options
        whole = set()
        for target in targets:
            found = self._deltas.find(target)
            if found is not None and not options.dry_run:
                self._deltas.apply(tx, found, commits)
            elif options.require_deltas and found is None:
                # Nothing is asked for that is here: not even for signatures.
                whole.add(target.commit)
        return frozenset(whole)

    def _take_cheapest(
        self, tx: Transaction, targets: Iterable[DeltaTarget], commits: CommitTaker
    ) -> frozenset[Checksum]:
        whole = set()
        finder = self._make_finder()
        for target in targets:
            found = finder.find(target)
            if found.is_here:
                if self._options.require_deltas:
                    whole.add(target.commit)
                continue
            self._go(tx, self._choose(found), commits)
        return frozenset(whole)

    def _choose(self, found: WaysTo) -> Way:
        way = found.cheapest(with_delta=self._options.require_deltas)
        if way is not None:
            return way
        commit = found.target.commit
        ways = [way for way in found.ways if way.deltas or not self._options.require_deltas]
        if not ways:
            raise NoDelta(f"Static deltas required, but none found to {commit}")
        obstacles = ", ".join(f"{way.kind}: {way.obstacle}" for way in ways)
        raise NoWay(f"No way to {commit} fits: {obstacles}")

    def _go(self, tx: Transaction, way: Way, commits: CommitTaker) -> None:
        for number, delta in enumerate(way.deltas, 1):
            self._deltas.count(delta)
            # Commits between are not taken: nobody wants them, nor vouches for them.
            self._deltas.apply(tx, delta, commits if number == len(way.deltas) else None)
