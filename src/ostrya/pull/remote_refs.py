# SPDX-License-Identifier: Apache-2.0
"""From what was asked for to commits: by the summary of the remote, or by its ref files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FormatError, RepoError
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.formats.checksum import Checksum, check_checksum, is_checksum, quash
from ostrya.formats.refs import CollectionRef, check_collection_id, check_ref_name
from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import RemoteRefusal
from ostrya.repo.refs import points_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.fetch.fetcher import Fetcher
    from ostrya.formats.summary import Summary
    from ostrya.pull.options import RefRequest
    from ostrya.pull.places import Places
    from ostrya.repo.transaction import Transaction

_MAX_REF_BYTES = 4096


class Resolved(NamedTuple):
    """A ref that is to be pulled.

    Attributes:
        ref: Its name.
        collection_id: The collection that it belongs to; None if it belongs to none.
        commit: The commit that it stands for.
    """

    ref: str
    collection_id: str | None
    commit: Checksum


def split_requests(
    requests: Iterable[RefRequest],
) -> tuple[list[RefRequest], list[Checksum]]:
    """Tell refs from commits that are asked for by their checksums.

    Raises:
        RefNameError: A name is neither.
    """
    refs, commits = [], []
    for request in requests:
        if is_checksum(request.ref):
            commits.append(Checksum(request.ref))
        else:
            check_ref_name(request.ref)
            refs.append(request)
    # Of a ref that is named twice, the last one counts.
    unique = {(one.collection_id, one.ref): one for one in refs}
    return list(unique.values()), list(dict.fromkeys(commits))


def all_refs(summary: Summary) -> list[Resolved]:
    """Return every ref of a summary.

    Raises:
        RefNameError: One has a name that no ref can have.
    """
    found = [
        Resolved(check_ref_name(ref.name), summary.collection_id, ref.checksum)
        for ref in summary.refs
    ]
    for collection_id, refs in summary.collection_map().items():
        check_collection_id(collection_id)
        found += [Resolved(check_ref_name(ref.name), collection_id, ref.checksum) for ref in refs]
    return found


def resolve(
    request: RefRequest, summary: Summary | None, fetcher: Fetcher, places: Places
) -> Resolved:
    """Find the commit of a ref.

    Raises:
        RemoteRefusal: The remote has no such ref.
        FetchError: It cannot be asked.
    """
    if request.commit is not None:
        return Resolved(request.ref, request.collection_id, request.commit)
    if summary is None:
        checksum = _fetch_ref(request, fetcher, places)
        return Resolved(request.ref, request.collection_id, checksum)
    found = summary.find(request.ref, request.collection_id)
    if found is None:
        raise RemoteRefusal(f"No such branch {_spell(request)} in repository summary")
    owner = request.collection_id or summary.collection_id
    return Resolved(request.ref, owner, found.checksum)


def _spell(request: RefRequest) -> str:
    if request.collection_id is None:
        return f"'{request.ref}'"
    return f"({request.collection_id}, {request.ref})"


def _fetch_ref(request: RefRequest, fetcher: Fetcher, places: Places) -> Checksum:
    owner = "(empty)" if request.collection_id is None else request.collection_id
    context = f"Fetching checksum for ref ({owner}, {request.ref})"
    base = "refs/heads" if request.collection_id is None else f"refs/mirrors/{owner}"
    urls = places.metadata_urls(f"{base}/{request.ref}")
    try:
        response = fetch_one(fetcher, Request(urls, _MAX_REF_BYTES))
    except RepoError as exc:
        exc.put_first(context)
        raise
    if response.is_absent:
        raise RemoteRefusal(
            f"{context}: Server returned HTTP {response.status}",
            hint=f"{response.url} is not there",
        )
    text = response.read().decode(errors="replace").strip()
    try:
        return check_checksum(text)
    except FormatError:
        shown = quash(text)
        raise RemoteRefusal(
            f"{context}: Invalid rev {shown}", hint=f"that is what {response.url} holds"
        ) from None


def as_collection_ref(resolved: Resolved) -> CollectionRef:
    """Return a ref with its collection; an empty one where it belongs to none."""
    return CollectionRef(resolved.collection_id or "", resolved.ref)


def set_refs(tx: Transaction, refs: Iterable[Resolved], remote: str | None) -> None:
    """Let refs point to what was pulled for them.

    Where one does already, nobody waits for the disk or is told of a change.

    Args:
        tx: Where the commits were written.
        refs: The refs.
        remote: Whose refs they are here; None for those of a mirror.
    """
    for ref in refs:
        if remote is None and ref.collection_id is not None:
            tx.set_collection_ref(CollectionRef(ref.collection_id, ref.ref), ref.commit)
        elif not points_to(tx.repo, remote, ref.ref, ref.commit):
            tx.set_ref(remote, ref.ref, ref.commit)
