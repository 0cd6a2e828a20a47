# SPDX-License-Identifier: Apache-2.0
"""Pulling from a remote by its name: its settings, addresses, keys and servers put together."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from ostrya.fetch.http import HttpFetcher
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.pull.errors import RemoteRefusal
from ostrya.pull.judge import Judge
from ostrya.pull.network import NetworkOptions, http_options, require_pullable
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.places import RemotePlaces, base_address
from ostrya.pull.remote_pull import RemotePull
from ostrya.pull.remote_summary import (
    MAX_SUMMARY_BYTES,
    RemoteSummary,
    SummaryCache,
    fetch_summary,
)
from ostrya.repo.free_space import FreeSpace
from ostrya.repo.remote_settings import RemoteSettings
from ostrya.repo.repository import open_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostrya.fetch.fetcher import Fetcher
    from ostrya.pull.judge import GpgCheck
    from ostrya.pull.result import PullResult
    from ostrya.repo.repository import Repository
    from ostrya.sign.gpg_status import GpgSignature

_FILE = "file://"
_MIRRORLIST = "mirrorlist="


def pull(  # noqa: PLR0913  # options by keyword
    repo: Repository,
    remote: str | RemoteSettings,
    requests: Sequence[RefRequest] | None = None,
    options: PullOptions | None = None,
    network: NetworkOptions | None = None,
    *,
    caches: Sequence[Repository] = (),
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> PullResult:
    """Pull refs or commits from a remote.

    Args:
        repo: Where to.
        remote: The remote's name, a ``file://`` address, or the settings themselves.
        requests: What; None for the remote's configured branches, or all refs of a mirror.
        options: How to.
        network: How its servers are spoken to.
        caches: Repositories on this machine to take objects from first.
        jobs: How many threads for files; one per processor if None.
        progress: Told about objects.

    Raises:
        RemoteRefusal: The remote has no such ref, or its settings forbid it.
        FetchError: Something could not be had.
        IntegrityError: Something is not what it should be.
        SignatureError: It is not signed as the remote's settings ask for.
    """
    options = options or PullOptions()
    with ExitStack() as stack:
        remote_side = connect(stack, repo, remote, options, network)
        places = remote_side.places
        source = None
        # Where deltas are required, a repository on this machine is a server like any other.
        if places.metadata[0].startswith(_FILE) and not options.require_deltas:
            from urllib.parse import unquote_to_bytes

            path = os.fsdecode(unquote_to_bytes(places.metadata[0].removeprefix(_FILE)))
            source = stack.enter_context(open_repository(path, runtime=repo.runtime))
        return RemotePull(
            repo,
            remote_side.settings,
            places=places,
            fetcher=remote_side.fetcher,
            open_fetcher=remote_side.open_another,
            judge=remote_side.judge,
            source=source,
            caches=caches,
            options=options,
            jobs=jobs,
            progress=progress,
        ).run(requests)


class RemoteSide(NamedTuple):
    """A remote, ready to be asked.

    Attributes:
        settings: Its settings.
        judge: Verifies what it serves.
        fetcher: Speaks to its servers.
        places: Where its files are.
        open_another: Makes a fetcher for one of so many processes; None where one is enough.
    """

    settings: RemoteSettings
    judge: Judge
    fetcher: Fetcher
    places: RemotePlaces
    open_another: Callable[[int], Fetcher] | None


def connect(
    stack: ExitStack,
    repo: Repository,
    remote: str | RemoteSettings,
    options: PullOptions | None = None,
    network: NetworkOptions | None = None,
    *,
    for_pull: bool = True,
) -> RemoteSide:
    """Prepare to ask a remote; ``stack`` closes what was opened.

    ``for_pull`` says that its settings have to allow a pull.

    Raises:
        RepoError: There is no such remote, or its settings forbid it.
        FetchError: A list of its mirrors cannot be had.
        SignatureError: Its settings ask for keys that are not there.
    """
    options = options or PullOptions()
    settings = RemoteSettings(repo, remote) if isinstance(remote, str) else remote
    if for_pull:
        require_pullable(settings)
    judge = Judge(
        settings,
        gpg=_gpg_check(repo, settings),
        gpg_verify=options.gpg_verify,
        sign_verify=options.sign_verify,
        allow_dummy=repo.runtime.dummy_signatures,
    )
    url = _address(settings, options)
    network = network or NetworkOptions()
    fetcher = stack.enter_context(open_fetcher(repo, settings, url, network))
    places = find_places(settings, url, options.url, fetcher)

    def open_another(sharing: int) -> Fetcher:
        return open_fetcher(repo, settings, url, network, sharing=sharing)

    # Whoever says how many requests there may be has one fetcher, which counts them.
    has_others = not places.content[0].startswith(_FILE) and network.max_in_flight is None
    return RemoteSide(settings, judge, fetcher, places, open_another if has_others else None)


def remote_summary(
    repo: Repository,
    remote: str | RemoteSettings,
    *,
    cache_dir: str | None = None,
    network: NetworkOptions | None = None,
) -> RemoteSummary | None:
    """Get the summary of a remote, verified as its settings ask for; None if it has none.

    Raises:
        RepoError: There is no such remote, or its settings forbid it.
        FetchError: It cannot be had.
        SignatureError: It is not signed as it has to be.
    """
    with ExitStack() as stack:
        side = connect(stack, repo, remote, None, network, for_pull=False)
        cache = stack.enter_context(closing(SummaryCache(repo, side.settings.name, cache_dir)))
        return fetch_summary(side.fetcher, side.places, side.judge, cache)


def _address(settings: RemoteSettings, options: PullOptions) -> str:
    if options.url is not None:
        return options.url
    metalink = settings.text("metalink")
    return settings.url if metalink is None else metalink


def open_fetcher(
    repo: Repository,
    settings: RemoteSettings,
    url: str,
    network: NetworkOptions,
    *,
    sharing: int = 1,
) -> Fetcher:
    """Return a fetcher for the servers of a remote, to be closed; one of so many.

    Raises:
        RemoteRefusal: The remote's settings contradict themselves.
    """
    if url[: len(_FILE)].lower() == _FILE:
        from ostrya.fetch.local_files import LocalFetcher

        return LocalFetcher()
    options = http_options(repo, settings, network)
    require_room = FreeSpace(repo, repo.tmp_fd).require
    return HttpFetcher(options, repo.tmp_fd, require_room, sharing=sharing)


def find_places(
    settings: RemoteSettings, url: str, override: str | None, fetcher: Fetcher
) -> RemotePlaces:
    """Find out where the files of a remote are.

    Raises:
        RemoteRefusal: An address cannot be used.
        FetchError: A list of mirrors cannot be had.
    """
    if override is None and settings.text("metalink") is not None:
        from ostrya.fetch.mirrors import fetch_by_metalink

        target, _ = fetch_by_metalink(fetcher, url, "summary", max_bytes=MAX_SUMMARY_BYTES)
        metadata: tuple[str, ...] = (base_address(target.rpartition("/")[0]),)
    else:
        metadata = _mirrors(url, fetcher)
    content_url = override if override is not None else settings.text("contenturl")
    return RemotePlaces(
        metadata, metadata if content_url is None else _mirrors(content_url, fetcher)
    )


def _mirrors(url: str, fetcher: Fetcher) -> tuple[str, ...]:
    if url.startswith(_MIRRORLIST):
        from ostrya.fetch.mirrors import fetch_mirrors

        found = fetch_mirrors(fetcher, url.removeprefix(_MIRRORLIST))
        if not found:
            raise RemoteRefusal(f"No valid mirrors were found in mirrorlist '{url}'")
        return tuple(map(base_address, found))
    return (base_address(url),)


def _gpg_check(repo: Repository, settings: RemoteSettings) -> GpgCheck | None:
    if settings.is_address:
        return None

    def check(data: bytes, signatures: Sequence[bytes]) -> list[GpgSignature]:
        from ostrya.repo.keyrings import remote_keyrings
        from ostrya.sign.gpg import GpgVerifier, require_good

        found = GpgVerifier(remote_keyrings(repo, settings.keyring)).check(data, signatures)
        require_good(found)
        return found

    return check
