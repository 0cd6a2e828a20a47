# SPDX-License-Identifier: Apache-2.0
"""Which ways lead to a commit, and what each costs: bytes, requests, memory.

The ways are: its objects one by one; a delta; a delta from nothing; and deltas one after the other,
through commits between. The deltas are those that the repository has, and those that were made to
see what they would take.
"""

from __future__ import annotations

import os
from enum import StrEnum
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from ostrya.delta.open_delta import open_delta, open_delta_at
from ostrya.delta.trees import read_tree
from ostrya.formats.delta_name import superblock_path
from ostrya.formats.delta_superblock import KEY_APPLY_MEMORY
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.delta_files import list_deltas
from ostrya.repo.reader import load_file, load_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.delta.open_delta import OpenDelta
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.delta_name import DeltaName
    from ostrya.repo.repository import Repository


class RouteKind(StrEnum):
    """A way to a commit."""

    OBJECTS = "objects"
    DELTA = "delta"
    SCRATCH = "from scratch"
    CHAIN = "chain"


class Route(NamedTuple):
    """What a way costs.

    Attributes:
        kind: Which way.
        steps: The commits that it leads to, in their order.
        size: Bytes to fetch.
        requests: How many, superblocks included.
        memory: What applying takes, in bytes; None where a delta does not say.
        tried: Whether a delta of it is not there, but was made and measured.
    """

    kind: RouteKind
    steps: tuple[Checksum, ...]
    size: int
    requests: int
    memory: int | None
    tried: bool = False


def find_routes(
    repo: Repository,
    origin: Checksum | None,
    to: Checksum,
    tried: Mapping[DeltaName, Route] | None = None,
) -> list[Route]:
    """Give the ways from a commit, or from nothing, to another, the one of fewest bytes first.

    Args:
        repo: Where both are.
        origin: Where the ways begin; None for nothing.
        to: Where they end.
        tried: Deltas that the repository does not have, see `measure_delta`.

    Raises:
        ObjectNotFound: One of the commits is not here whole.
    """
    routes = [_by_objects(repo, origin, to)]
    steps = {name: _one_delta(repo, name) for name in list_deltas(repo)}
    steps |= {name: route for name, route in (tried or {}).items() if name not in steps}
    for name, route in steps.items():
        if name.to == to and name.origin in {origin, None}:
            routes.append(route)
    chain = _cheapest_chain(steps, origin, to)
    if chain is not None and len(chain.steps) > 1:
        routes.append(chain)
    return sorted(routes, key=lambda route: route.size)


def _by_objects(repo: Repository, origin: Checksum | None, to: Checksum) -> Route:
    old, new = read_tree(repo, origin), read_tree(repo, to)
    size = len(load_metadata(repo, ObjectName(to, ObjectType.COMMIT)))
    requests = 1
    for name in new.metadata:
        if name not in old.metadata:
            size += len(load_metadata(repo, name))
            requests += 1
    for checksum in new.files:
        if checksum not in old.files:
            with load_file(repo, checksum) as file:
                size += file.stored_size
            requests += 1
    return Route(RouteKind.OBJECTS, (to,), size, requests, 0)


def _one_delta(repo: Repository, name: DeltaName) -> Route:
    with open_delta(repo, str(name)) as delta:
        size = os.stat(superblock_path(name), dir_fd=repo.dir_fd).st_size
        return _cost(delta, name, size)


def measure_delta(path: str, name: DeltaName) -> Route:
    """Say what a delta costs that is not in a repository.

    Args:
        path: Its superblock.
        name: What it leads from and to.

    Raises:
        DeltaFormatError: It is none.
        OSError: It cannot be read.
    """
    with open_delta_at(path) as delta:
        return _cost(delta, name, os.path.getsize(path))._replace(tried=True)


def _cost(delta: OpenDelta, name: DeltaName, superblock_size: int) -> Route:
    block = delta.superblock
    stated = block.metadata.lookup(KEY_APPLY_MEMORY, "t")
    carried = [block.inline_part(index) is not None for index in range(len(block.parts))]
    return Route(
        RouteKind.SCRATCH if name.origin is None else RouteKind.DELTA,
        (name.to,),
        superblock_size
        + sum(part.size for part, inline in zip(block.parts, carried, strict=True) if not inline)
        + sum(fallback.size for fallback in block.fallbacks),
        1 + carried.count(False) + len(block.fallbacks),
        None if stated is None else swap_u64(stated),
    )


def _cheapest_chain(
    deltas: dict[DeltaName, Route], origin: Checksum | None, to: Checksum
) -> Route | None:
    """Find the deltas, one after the other, that take the fewest bytes together."""
    start = Route(RouteKind.CHAIN, (), 0, 0, 0)
    waiting: list[tuple[int, str, Route]] = [(0, origin or "", start)]
    done: set[str] = set()
    while waiting:
        size, here, route = heappop(waiting)
        if here == to:
            return route
        if here in done:
            continue
        done.add(here)
        for name, step in deltas.items():
            if (name.origin or "") == here and name.to not in done:
                heappush(waiting, (size + step.size, name.to, _after(route, step)))
    return None


def _after(route: Route, step: Route) -> Route:
    known = route.memory is not None and step.memory is not None
    return Route(
        RouteKind.CHAIN,
        route.steps + step.steps,
        route.size + step.size,
        route.requests + step.requests,
        max(route.memory or 0, step.memory or 0) if known else None,
        route.tried or step.tried,
    )
