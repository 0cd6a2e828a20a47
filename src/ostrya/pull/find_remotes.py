# SPDX-License-Identifier: Apache-2.0
"""Finding out which remotes have the newest commits of refs, by their summaries.

::

    finders ──places──▶ summaries ──offers──▶ ages of commits ──▶ choose ──▶ found remotes

A remote that cannot be asked, or whose summary is not signed as it has to be, is left out.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.formats.checksum import checksum_of
from ostrya.formats.commit import Commit
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import RemoteRefusal
from ostrya.pull.finders import configured_places, mounted_places
from ostrya.pull.offers import (
    CONFIG,
    MOUNT,
    FoundRemote,
    Offer,
    choose,
    read_offer,
    unclear_commits,
)
from ostrya.pull.pull import RemoteSide, connect
from ostrya.pull.remote_summary import SummaryCache, fetch_summary
from ostrya.repo.errors import ChecksumMismatch
from ostrya.repo.reader import has_object, load_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.refs import CollectionRef
    from ostrya.pull.network import NetworkOptions
    from ostrya.pull.offers import Place
    from ostrya.repo.repository import Repository

    OnSkipped = Callable[[Place, Exception], None]

_MAX_COMMIT_BYTES = 128 << 20


class FindOptions(NamedTuple):
    """Where to look.

    Attributes:
        finders: ``config`` for the repository's remotes, ``mount`` for volumes.
        volumes: The directories of mounted volumes.
        cache_dir: Keep summaries in ``summaries`` here, instead of in the repository.
        network: How servers are spoken to.
    """

    finders: tuple[str, ...] = (CONFIG.name, MOUNT.name)
    volumes: tuple[str, ...] = ()
    cache_dir: str | None = None
    network: NetworkOptions | None = None


def find_remotes(
    repo: Repository,
    wanted: Collection[CollectionRef],
    options: FindOptions | None = None,
    *,
    on_skipped: OnSkipped = lambda _place, _reason: None,
) -> list[FoundRemote]:
    """Find remotes that have the newest commits of refs, best first.

    Args:
        repo: The repository that wants them; its settings say whose keys count.
        wanted: The refs.
        options: Where to look.
        on_skipped: Told about places that could not be asked, and why.

    Raises:
        RepoError: The repository's settings are damaged.
    """
    options = options or FindOptions()
    with ExitStack() as stack:
        sides: dict[str, RemoteSide] = {}
        offers = []
        for place in _find_places(repo, wanted, options):
            try:
                side = connect(stack, repo, place.settings, None, options.network)
                offer = _ask(repo, place, side, wanted, options.cache_dir)
            except (OstryaError, OSError) as exc:
                on_skipped(place, exc)
                continue
            sides[place.settings.name] = side
            offers.append(offer)
        known = _ages_here(repo, offers)
        for commit, places in unclear_commits(offers, known).items():
            age = _ask_age(commit, [sides[place.settings.name] for place in places])
            if age is not None:
                known[commit] = age
        return choose(offers, wanted, known)


def _find_places(
    repo: Repository, wanted: Collection[CollectionRef], options: FindOptions
) -> list[Place]:
    found = []
    # The best first: where two are equally good, the first is taken.
    if MOUNT.name in options.finders:
        found += mounted_places(repo, wanted, options.volumes)
    if CONFIG.name in options.finders:
        found += configured_places(repo, wanted)
    return found


def _ask(
    repo: Repository,
    place: Place,
    side: RemoteSide,
    wanted: Collection[CollectionRef],
    cache_dir: str | None,
) -> Offer:
    with closing(SummaryCache(repo, place.settings.name, cache_dir)) as cache:
        found = fetch_summary(side.fetcher, side.places, side.judge, cache)
    if found is None:
        raise RemoteRefusal("Remote server has no summary file")
    return read_offer(place, found.summary, wanted)


def _ages_here(repo: Repository, offers: Iterable[Offer]) -> dict[Checksum, int]:
    commits = {offered.commit for offer in offers for offered in offer.refs.values()}
    return {
        commit: load_commit(repo, commit).timestamp
        for commit in commits
        if has_object(repo, ObjectName(commit, ObjectType.COMMIT))
    }


def _ask_age(commit: Checksum, sides: Sequence[RemoteSide]) -> int | None:
    """Return the timestamp of a commit, from the first that has it; None if nobody has."""
    for side in sides:
        try:
            return _fetch_commit(commit, side).timestamp
        except (OstryaError, OSError):
            continue
    return None


def _fetch_commit(checksum: Checksum, side: RemoteSide) -> Commit:
    name = ObjectName(checksum, ObjectType.COMMIT)
    urls = side.places.metadata_urls(f"objects/{loose_path(name, archive=True)}")
    data = fetch_one(side.fetcher, Request(urls, _MAX_COMMIT_BYTES)).read()
    actual = checksum_of(data)
    if actual != checksum:
        raise ChecksumMismatch(name, actual)
    return Commit.decode(data)
