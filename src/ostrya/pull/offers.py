# SPDX-License-Identifier: Apache-2.0
"""Which of several remotes has the newest commit of which ref. Pure.

Remotes offer refs in their summaries. Of the commits that are offered for one ref the newest is
taken, and a remote that only has an older one does not have that ref at all: a mirror that lags
behind cannot bring anybody back to yesterday.
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING

from ostrya.formats.gvariant.vardict import glib_str_hash, glib_table_order
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.refs import CollectionRef
    from ostrya.formats.summary import Summary
    from ostrya.repo.remote_settings import RemoteSettings


class Finder(NamedTuple):
    """A way to find remotes.

    Attributes:
        name: As users name it.
        title: As results name it.
        priority: Of what it finds; the lowest is used first.
    """

    name: str
    title: str
    priority: int


MOUNT = Finder("mount", "OstreeRepoFinderMount", 50)
CONFIG = Finder("config", "OstreeRepoFinderConfig", 100)


class Place(NamedTuple):
    """A remote that may have refs of one collection.

    Attributes:
        settings: How it is pulled from, and whose signatures count.
        uri: Its address, for people.
        finder: What found it.
        collection_id: The collection whose refs are looked for there, and no other's: these the
            keys vouch for.
    """

    settings: RemoteSettings
    uri: str
    finder: Finder
    collection_id: str


class Offered(NamedTuple):
    """A ref in a summary.

    Attributes:
        commit: What it points to.
        timestamp: When that was made, in seconds since 1970 UTC; None if the summary is silent.
    """

    commit: Checksum
    timestamp: int | None


class Offer(NamedTuple):
    """What a remote has of the refs that are wanted.

    Attributes:
        place: The remote.
        last_modified: When its summary was made; 0 if it does not say so.
        refs: The refs.
    """

    place: Place
    last_modified: int
    refs: Mapping[CollectionRef, Offered]


class FoundRemote(NamedTuple):
    """A remote that has the newest commit of some refs that are wanted.

    Attributes:
        place: The remote.
        last_modified: When its summary was made, in seconds since 1970 UTC; 0 if unknown.
        refs: All refs that are wanted, with the commits to pull; None where it does not have the
            newest one. The order is libostree's.
    """

    place: Place
    last_modified: int
    refs: Mapping[CollectionRef, Checksum | None]

    @property
    def wanted(self) -> dict[CollectionRef, Checksum]:
        """The refs that it has."""
        return {ref: commit for ref, commit in self.refs.items() if commit is not None}


def read_offer(place: Place, summary: Summary, wanted: Iterable[CollectionRef]) -> Offer:
    """Take out of a summary what is wanted of the collection that is looked for there.

    Raises:
        FormatError: The summary is damaged.
    """
    refs = {}
    for ref in wanted:
        if ref.collection_id != place.collection_id:
            continue
        # Refs of a summary without a collection belong to none.
        found = summary.find(ref.ref, ref.collection_id)
        if found is not None:
            refs[ref] = Offered(found.checksum, found.timestamp or None)
    return Offer(place, summary.last_modified or 0, refs)


def unclear_commits(
    offers: Iterable[Offer], known: Mapping[Checksum, int]
) -> dict[Checksum, list[Place]]:
    """Return commits whose age is unknown or disputed, and where they can be had.

    Args:
        offers: What the summaries say.
        known: The age of commits that are here; nobody else is asked about those.
    """
    said: dict[Checksum, set[int | None]] = {}
    places: dict[Checksum, list[Place]] = {}
    for offer in offers:
        for offered in offer.refs.values():
            if offered.commit not in known:
                said.setdefault(offered.commit, set()).add(offered.timestamp)
                where = places.setdefault(offered.commit, [])
                if offer.place not in where:
                    where.append(offer.place)
    return {
        commit: places[commit] for commit, times in said.items() if None in times or len(times) > 1
    }


def choose(
    offers: Sequence[Offer], wanted: Iterable[CollectionRef], known: Mapping[Checksum, int]
) -> list[FoundRemote]:
    """Return the remotes that have newest commits, best first.

    Args:
        offers: What the summaries say, the best places first.
        wanted: The refs.
        known: The true age of commits. A summary that says otherwise is lying, and what it
            offers counts for nothing; of a commit that nobody could look at, it is believed.
    """
    order = ref_order(wanted)
    honest = [offer for offer in offers if _is_honest(offer, known)]
    newest = {ref: _newest(honest, ref, known) for ref in order}
    found = []
    for offer in honest:
        refs = {ref: newest[ref] if _has(offer, ref, newest[ref]) else None for ref in order}
        if any(refs.values()):
            found.append(FoundRemote(offer.place, offer.last_modified, refs))
    return sorted(found, key=cmp_to_key(_compare))


def ref_order(refs: Iterable[CollectionRef]) -> list[CollectionRef]:
    """Return refs, each once, in the order in which libostree's tables give them."""
    return glib_table_order(
        refs, lambda ref: glib_str_hash(ref.collection_id) ^ glib_str_hash(ref.ref)
    )


def _is_honest(offer: Offer, known: Mapping[Checksum, int]) -> bool:
    return all(
        offered.timestamp in (None, known.get(offered.commit, offered.timestamp))
        for offered in offer.refs.values()
    )


def _newest(
    offers: Iterable[Offer], ref: CollectionRef, known: Mapping[Checksum, int]
) -> Checksum | None:
    best, best_time = None, -1
    for offer in offers:
        offered = offer.refs.get(ref)
        if offered is None:
            continue
        time = known.get(offered.commit, offered.timestamp or 0)
        if time > best_time:
            best, best_time = offered.commit, time
    return best


def _has(offer: Offer, ref: CollectionRef, commit: Checksum | None) -> bool:
    offered = offer.refs.get(ref)
    return offered is not None and offered.commit == commit


def _compare(one: FoundRemote, other: FoundRemote) -> int:
    """Say which is to be used first, as libostree decides it."""
    by_priority = one.place.finder.priority - other.place.finder.priority
    if by_priority:
        return by_priority
    if one.last_modified and other.last_modified and one.last_modified != other.last_modified:
        return one.last_modified - other.last_modified
    by_count = len(one.wanted) - len(other.wanted)
    if by_count:
        return by_count
    names = one.place.settings.name.encode(), other.place.settings.name.encode()
    return (names[0] > names[1]) - (names[0] < names[1])
