# SPDX-License-Identifier: Apache-2.0
"""Which ways lead from what is here to a commit of a remote, and what each costs.

::

    objects        those that are not here, one by one
    delta          from a commit that is here, whole
    from scratch   a delta from nothing
    chain          deltas one after the other, from what is here or from nothing

Of each kind, the one of fewest bytes is given. To know, the superblocks of deltas are fetched, as
many as a few; no part is. What objects take is known where the commit says it (``ostree.sizes``),
and is estimated from a delta that names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.delta.routes import RouteKind
from ostrya.delta.trees import read_tree
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.formats.checksum import Checksum, checksum_of
from ostrya.formats.commit import Commit, decode_sizes
from ostrya.formats.delta_name import DeltaName
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.named_tuple import NamedTuple
from ostrya.pull.engine import MAX_COMMIT_BYTES
from ostrya.pull.errors import ObjectNotServed
from ostrya.pull.way import Way, WaysTo
from ostrya.repo.errors import ChecksumMismatch
from ostrya.repo.reader import has_object, load_file, load_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostrya.fetch.fetcher import Fetcher
    from ostrya.pull.delta_found import DeltaTarget, FoundDelta
    from ostrya.pull.delta_offers import DeltaOffers
    from ostrya.pull.delta_pull import DeltaPull
    from ostrya.pull.places import Places
    from ostrya.repo.repository import Repository

# Superblocks are fetched to find out, so not too many of them.
_MAX_SUPERBLOCKS = 24
_MAX_STEPS = 8
# What objects take deflated one by one, for each byte that they take together in a part.
_LOOSE_SHARE = 1.3
# What deflating leaves of content, by experience.
_DEFLATED_SHARE = 0.4


class WayFinder:
    """Finds the ways to commits of one remote."""

    def __init__(  # its parts, by keyword
        self,
        repo: Repository,
        *,
        fetcher: Fetcher,
        places: Places,
        deltas: DeltaPull,
        offers: DeltaOffers | None,
        source: Repository | None,
    ) -> None:
        """Prepare.

        Args:
            repo: Where to.
            fetcher: Gets superblocks and commits.
            places: Where they are.
            deltas: Knows what is here, and gets deltas.
            offers: Which deltas there are; None if none may be used.
            source: The remote itself, where it is on this machine.
        """
        self._repo = repo
        self._fetcher = fetcher
        self._places = places
        self._deltas = deltas
        self._offers = offers
        self._source = source
        self._loaded = 0

    def find(self, target: DeltaTarget) -> WaysTo:
        """Find the ways to a commit.

        Raises:
            FetchError: The commit, or what is said of its deltas, cannot be had.
            FormatError: Something of it is damaged.
            IntegrityError: Something is not what it should be.
        """
        if self._deltas.is_whole(target.commit):
            return WaysTo(target, ())
        self._loaded = 0
        ways = list(self._by_deltas(target))
        ways.append(self._by_objects(target.commit, ways))
        return WaysTo(target, tuple(sorted(ways, key=_price)))

    # -- by deltas

    def _by_deltas(self, target: DeltaTarget) -> Iterable[Way]:
        cheapest: dict[RouteKind, Way] = {}
        for path in self._paths(target):
            way = self._way_of(path)
            if way.kind not in cheapest or _price(way) < _price(cheapest[way.kind]):
                cheapest[way.kind] = way
        return cheapest.values()

    def _paths(self, target: DeltaTarget) -> Iterator[tuple[FoundDelta, ...]]:
        """Yield deltas one after the other that lead to a commit from what is here, or nothing."""
        waiting: list[tuple[Checksum, tuple[FoundDelta, ...]]] = [(target.commit, ())]
        seen = {target.commit}
        for here, rest in waiting:
            for name, digest in self._offered(here, target):
                origin = name.origin
                if origin in seen or self._loaded >= _MAX_SUPERBLOCKS:
                    continue
                found = self._deltas.load(name, digest)
                self._loaded += 1
                # What a step leaves out is fetched in the end, where the next may need it at once.
                if found is None or (rest and found.block.fallbacks):
                    continue
                if origin is None or self._deltas.is_whole(origin):
                    yield (found, *rest)
                elif len(rest) + 1 < _MAX_STEPS:
                    seen.add(origin)
                    waiting.append((origin, (found, *rest)))

    def _offered(
        self, commit: Checksum, target: DeltaTarget
    ) -> list[tuple[DeltaName, bytes | None]]:
        """Return the deltas to a commit; those that begin at what is here come first."""
        offers = self._offers
        if offers is None:
            return []
        if offers.are_listed:
            names = list(offers.to(commit).items())
            return sorted(names, key=lambda one: not self._is_start(one[0].origin))
        if commit != target.commit:
            return []
        # Nothing is said of deltas: there may be one from what the ref is here.
        origins = [None] if target.current is None else [target.current, None]
        return [(DeltaName(commit, one), None) for one in origins if self._is_start(one)]

    def _is_start(self, origin: Checksum | None) -> bool:
        return origin is None or self._deltas.is_whole(origin)

    def _way_of(self, path: tuple[FoundDelta, ...]) -> Way:
        stated = [delta.apply_memory for delta in path]
        memory = None if None in stated else max(one for one in stated if one is not None)
        space = sum(delta.unpacked_size for delta in path)
        kind = RouteKind.CHAIN
        if len(path) == 1:
            kind = RouteKind.SCRATCH if path[0].block.origin is None else RouteKind.DELTA
        return Way(
            kind=kind,
            steps=tuple(delta.block.to for delta in path),
            size=sum(delta.size for delta in path),
            requests=sum(delta.requests for delta in path),
            memory=memory,
            space=space,
            is_estimate=False,
            obstacle=self._deltas.obstacle(memory, space),
            deltas=path,
        )

    # -- by objects

    def _by_objects(self, commit: Checksum, ways: list[Way]) -> Way:
        cost = self._objects_cost(commit, ways)
        return Way(
            kind=RouteKind.OBJECTS,
            steps=(commit,),
            size=cost.size,
            requests=cost.requests,
            memory=0,
            space=cost.space,
            is_estimate=cost.is_estimate,
            obstacle=self._deltas.obstacle(0, cost.space or 0),
            deltas=(),
        )

    def _objects_cost(self, commit: Checksum, ways: list[Way]) -> _ObjectsCost:
        if self._source is not None:
            return self._cost_at(self._source, commit)
        single = [way.deltas[0] for way in ways if len(way.deltas) == 1]
        # One from what is here names what is not; one from nothing names everything.
        single.sort(key=lambda delta: delta.block.origin is None)
        data = single[0].block.commit_data if single else self._load_commit(commit)
        entries = decode_sizes(Commit.decode(data).metadata)
        if entries is not None:
            missing = [
                entry
                for entry in entries
                if not has_object(self._repo, ObjectName(entry.checksum, entry.type))
            ]
            return _ObjectsCost(
                len(data) + sum(entry.archived for entry in missing),
                1 + len(missing),
                sum(entry.unpacked for entry in missing),
            )
        return self._estimate(single[0]) if single else _ObjectsCost(None, None, None)

    def _load_commit(self, commit: Checksum) -> bytes:
        name = ObjectName(commit, ObjectType.COMMIT)
        if has_object(self._repo, name):
            return load_metadata(self._repo, name)
        urls = self._places.content_urls(f"objects/{loose_path(name, archive=True)}")
        response = fetch_one(self._fetcher, Request(urls, MAX_COMMIT_BYTES))
        if response.is_absent:
            raise ObjectNotServed(name, response)
        data = response.read()
        actual = checksum_of(data)
        if actual != commit:
            raise ChecksumMismatch(name, actual)
        return data

    def _cost_at(self, source: Repository, commit: Checksum) -> _ObjectsCost:
        tree = read_tree(source, commit)
        size = len(load_metadata(source, ObjectName(commit, ObjectType.COMMIT)))
        requests, space = 1, size
        for name in tree.metadata:
            if not has_object(self._repo, name):
                stored = len(load_metadata(source, name))
                requests, size, space = requests + 1, size + stored, space + stored
        for checksum in tree.files:
            if not has_object(self._repo, ObjectName(checksum, ObjectType.FILE)):
                with load_file(source, checksum) as file:
                    size, space = size + file.stored_size, space + file.size
                requests += 1
        return _ObjectsCost(size, requests, space)

    def _estimate(self, delta: FoundDelta) -> _ObjectsCost:
        block = delta.block
        size = float(len(block.commit_data))
        requests, space = 1, 0
        for header in block.parts:
            names = list(header.object_names())
            missing = sum(not has_object(self._repo, name) for name in names)
            share = missing / max(len(names), 1)
            requests += missing
            space += int(header.unpacked_size * share)
            if block.origin is None:
                size += header.size * share * _LOOSE_SHARE
            else:
                # What a part cannot shrink, deflating does not either.
                size += max(header.unpacked_size * _DEFLATED_SHARE, header.size) * share
        for fallback in delta.fallbacks:
            size += fallback.size
            requests, space = requests + 1, space + fallback.unpacked_size
        return _ObjectsCost(int(size), requests, space, is_estimate=True)


class _ObjectsCost(NamedTuple):
    size: int | None
    requests: int | None
    space: int | None
    is_estimate: bool = False


def _price(way: Way) -> tuple[bool, int, int, bool]:
    """Order ways: of those that take the same, what needs fewer requests."""
    return (way.size is None, way.size or 0, way.requests or 0, bool(way.deltas))
