# SPDX-License-Identifier: Apache-2.0
"""What a remote has for a ref, found out before anything is pulled: a commit, perhaps a delta."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS
from ostrya.pull.delta_found import DeltaTarget
from ostrya.pull.delta_offers import DeltaOffers, has_indexes
from ostrya.pull.delta_pull import DeltaPull
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.pull import connect
from ostrya.pull.remote_refs import resolve
from ostrya.pull.remote_summary import RemoteSummary, SummaryCache, fetch_summary
from ostrya.repo.refs import resolve_rev

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.pull.network import NetworkOptions
    from ostrya.pull.pull import RemoteSide
    from ostrya.repo.remote_settings import RemoteSettings
    from ostrya.repo.repository import Repository

_FILE = "file://"


class Outlook(NamedTuple):
    """What a pull of a ref would begin with.

    Attributes:
        commit: The commit.
        delta_bytes: What its delta takes that is not here; None where none leads there.
        unpacked_bytes: What that delta makes.
    """

    commit: Checksum
    delta_bytes: int | None = None
    unpacked_bytes: int | None = None


def remote_commit(
    repo: Repository, remote: str, ref: str, *, network: NetworkOptions | None = None
) -> Checksum:
    """Return the commit that a ref of a remote stands for now.

    Raises:
        RemoteRefusal: The remote has no such ref, or its settings forbid to ask.
        FetchError: It cannot be asked.
        SignatureError: Its summary is not signed as it has to be.
    """
    with ExitStack() as stack:
        side = connect(stack, repo, remote, None, network)
        return _resolve(side, ref, _summary(side, repo))


def look_ahead(
    repo: Repository,
    remote: str | RemoteSettings,
    ref: str,
    *,
    commit: Checksum | None = None,
    network: NetworkOptions | None = None,
) -> Outlook:
    """Find out what pulling a ref would bring, and take.

    Args:
        repo: Where to; nothing is written.
        remote: The remote's name, or the settings themselves.
        ref: The ref.
        commit: Ask for this commit instead of the one that the ref stands for.
        network: How its servers are spoken to.

    Raises:
        RemoteRefusal: The remote has no such ref, or its settings forbid to ask.
        FetchError: It cannot be asked.
        SignatureError: Its summary is not signed as it has to be.
    """
    with ExitStack() as stack:
        side = connect(stack, repo, remote, None, network)
        summary = _summary(side, repo)
        target = commit or _resolve(side, ref, summary)
        if side.places.metadata[0].startswith(_FILE):
            return Outlook(target)
        deltas = DeltaPull(
            repo,
            fetcher=side.fetcher,
            places=side.places,
            offers=DeltaOffers(
                side.fetcher,
                side.places,
                None if summary is None else summary.summary,
                indexed=summary is None and has_indexes(side.fetcher, side.places),
            ),
            options=PullOptions(),
            digests_required=side.judge.wants_summary,
            progress=NULL_PROGRESS,
        )
        current = resolve_rev(repo, f"{side.settings.name}:{ref}", allow_noent=True)
        if deltas.find(DeltaTarget(target, ref, current)) is None:
            return Outlook(target)
        counts = deltas.counts
        return Outlook(target, counts.size - counts.size_here, counts.unpacked_size)


def _summary(side: RemoteSide, repo: Repository) -> RemoteSummary | None:
    with closing(SummaryCache(repo, side.settings.name, None)) as cache:
        return fetch_summary(side.fetcher, side.places, side.judge, cache)


def _resolve(side: RemoteSide, ref: str, summary: RemoteSummary | None) -> Checksum:
    known = None if summary is None else summary.summary
    return resolve(RefRequest(ref), known, side.fetcher, side.places).commit
