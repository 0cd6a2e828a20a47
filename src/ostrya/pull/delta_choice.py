# SPDX-License-Identifier: Apache-2.0
"""Which static delta to take, if any: of those that lead to a commit, told what is here.

::

    the commit is here, whole                 none is needed
    deltas from commits that are here, whole  the one from the newest of them
    a delta from nothing                      that one, unless the ref was pulled before: then
                                              few objects are new, and one by one they are less

Source: ostree-repo-pull.c (get_best_static_delta_start_for, initiate_delta_request).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.delta_name import DeltaName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ostrya.formats.checksum import Checksum


def choose_delta(
    to: Checksum,
    offered: Iterable[DeltaName],
    time_of: Callable[[Checksum], int | None],
    *,
    pulled_before: bool,
) -> DeltaName | None:
    """Choose among the deltas to a commit that is not here.

    Args:
        to: The commit.
        offered: All deltas of the remote, those to other commits as well.
        time_of: Gives the time of a commit that is here with all it holds; else None.
        pulled_before: Whether the ref that the commit is pulled for is here.
    """
    from_nothing = False
    newest: tuple[int, Checksum] | None = None
    for name in offered:
        if name.to != to:
            continue
        if name.origin is None:
            from_nothing = True
            continue
        timestamp = time_of(name.origin)
        if timestamp is not None and (newest is None or (timestamp, name.origin) > newest):
            newest = (timestamp, name.origin)
    if newest is not None:
        return DeltaName(to, newest[1])
    return DeltaName(to, None) if from_nothing and not pulled_before else None
