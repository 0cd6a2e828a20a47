# SPDX-License-Identifier: Apache-2.0
"""Pulling refs from remotes that were found to have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import OstryaError, PullError
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.pull.offers import ref_order
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.pull import pull

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostrya.formats.refs import CollectionRef
    from ostrya.pull.network import NetworkOptions
    from ostrya.pull.offers import FoundRemote
    from ostrya.pull.result import PullResult
    from ostrya.repo.repository import Repository

    OnFailure = Callable[[FoundRemote, Exception], None]


def pull_found(
    repo: Repository,
    found: Sequence[FoundRemote],
    options: PullOptions | None = None,
    network: NetworkOptions | None = None,
    *,
    on_failure: OnFailure = lambda _found, _reason: None,
    progress: ProgressSink = NULL_PROGRESS,
) -> list[PullResult]:
    """Pull the newest commit of each ref from the best remote that has it.

    Where a remote fails, what was to come from it comes from the next one that has it. Every
    commit must be signed: with OpenPGP, unless the remote's settings ask for other keys alone.

    Args:
        repo: Where to.
        found: The remotes, best first.
        options: How to; what has to do with trust is set here.
        network: How servers are spoken to.
        on_failure: Told about remotes that failed, and why.
        progress: Told about objects.

    Raises:
        PullError: Some refs came from nowhere; the others are here.
    """
    options = options or PullOptions()
    results = []
    pulled: dict[CollectionRef, bool] = {}
    for remote in found:
        missing = {ref: sum_ for ref, sum_ in remote.wanted.items() if not pulled.get(ref)}
        if not missing:
            continue
        requests = [RefRequest(ref.ref, sum_, ref.collection_id) for ref, sum_ in missing.items()]
        try:
            results.append(
                pull(
                    repo,
                    remote.place.settings,
                    requests,
                    _trusting_nobody(options, remote),
                    network,
                    progress=progress,
                )
            )
        except (OstryaError, OSError) as exc:
            on_failure(remote, exc)
            pulled.update(dict.fromkeys(missing, False))
        else:
            pulled.update(dict.fromkeys(missing, True))
    failed = [str(ref) for ref in ref_order(pulled) if not pulled[ref]]
    if failed:
        raise PullError(f"Failed to pull some refs from the remotes: {', '.join(failed)}")
    return results


def _trusting_nobody(options: PullOptions, found: FoundRemote) -> PullOptions:
    settings = found.place.settings
    return options._replace(
        untrusted=True,
        gpg_verify=not settings.signed_by_keys_alone,
        remote_refs_as=settings.keyring,
        collection_id=found.place.collection_id,
    )
