# SPDX-License-Identifier: Apache-2.0
"""Servers that are named by a list: mirror lists and metalinks, fetched and followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FetchError
from ostrya.fetch.addresses import hide_password
from ostrya.fetch.errors import HttpStatusError, MetalinkError, MirrorListError
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.fetch.metalink import parse_metalink
from ostrya.fetch.mirrorlist import no_mirrors, parse_mirrorlist

if TYPE_CHECKING:
    from ostrya.fetch.fetcher import Fetcher
    from ostrya.fetch.metalink import Metalink

MAX_LIST_BYTES = 1024 * 1024
"""A list of mirrors or a metalink is not longer."""


def fetch_mirrors(fetcher: Fetcher, url: str) -> tuple[str, ...]:
    """Fetch a mirror list; return its mirrors from the first one on that has a repository.

    Raises:
        MirrorListError: The list cannot be had, or no mirror on it works.
    """
    shown = hide_password(url)
    try:
        text = _fetch_present(fetcher, url, MAX_LIST_BYTES).decode("utf-8", "replace")
    except FetchError as exc:
        raise MirrorListError(f"While fetching mirrorlist '{shown}': {exc.message}") from exc
    mirrors = parse_mirrorlist(text, shown)
    for number, mirror in enumerate(mirrors):
        try:
            _fetch_present(fetcher, f"{mirror.rstrip('/')}/config", MAX_LIST_BYTES)
        except FetchError:
            continue
        return mirrors[number:]
    raise no_mirrors(shown)


def fetch_by_metalink(
    fetcher: Fetcher, url: str, file_name: str, *, max_bytes: int
) -> tuple[str, bytes]:
    """Fetch a file through a metalink; return where it was, and what it holds.

    Raises:
        FetchError: The metalink cannot be had.
        MetalinkError: It cannot be used, or the file is at none of its addresses.
    """
    document = _fetch_present(fetcher, url, MAX_LIST_BYTES)
    try:
        return _follow(fetcher, parse_metalink(document, file_name), max_bytes)
    except MetalinkError as exc:
        exc.put_first(f"While following metalink '{hide_password(url)}'")
        raise


def _follow(fetcher: Fetcher, metalink: Metalink, max_bytes: int) -> tuple[str, bytes]:
    last_error = ""
    for target in metalink.urls:
        try:
            content = _fetch_present(fetcher, target, max_bytes)
            metalink.check(content)
        except MetalinkError as exc:
            last_error = f"While fetching {hide_password(target)}: {exc.message}"
        except FetchError as exc:
            last_error = exc.message
        else:
            return target, content
    raise MetalinkError(
        f"Exhausted {len(metalink.urls)} metalink targets, last error: {last_error}"
    )


def _fetch_present(fetcher: Fetcher, url: str, max_bytes: int) -> bytes:
    response = fetch_one(fetcher, Request((url,), max_bytes))
    if response.is_absent:
        raise HttpStatusError(response.url, response.status)
    return response.read()
