# SPDX-License-Identifier: Apache-2.0
"""Which static deltas a remote has: by its delta indexes, by its summary, or by trying.

A remote whose summary or configuration says ``indexed-deltas`` has an index for each commit, which
may name more deltas than the summary does. Of one that says nothing of deltas at all, the delta
from what the ref is here is asked for, as before there were lists of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.formats.delta_index import DeltaDigests, decode_delta_index, delta_digests
from ostrya.formats.delta_name import index_path
from ostrya.formats.keyfile import KeyFile
from ostrya.formats.summary import KEY_INDEXED_DELTAS

if TYPE_CHECKING:
    from ostrya.fetch.fetcher import Fetcher
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.summary import Summary
    from ostrya.pull.engine import Places

_MAX_CONFIG_BYTES = 1 << 20
_MAX_INDEX_BYTES = 16 << 20


def has_indexes(fetcher: Fetcher, places: Places) -> bool:
    """Say whether a remote's configuration promises delta indexes.

    Raises:
        FetchError: It cannot be asked.
    """
    response = fetch_one(fetcher, Request(places.metadata_urls("config"), _MAX_CONFIG_BYTES))
    if response.is_absent:
        return False
    try:
        keyfile = KeyFile.parse(response.read().decode("utf-8", "replace"))
        return keyfile.has_key("core", "indexed-deltas") and keyfile.get_boolean(
            "core", "indexed-deltas"
        )
    except FormatError:
        # Whatever is served there, it promises nothing.
        return False


class DeltaOffers:
    """What a remote says of its deltas.

    Attributes:
        are_listed: Whether it says anything at all.
    """

    __slots__ = ("_digests", "_fetcher", "_indexed", "_places", "are_listed", "indexes_fetched")

    def __init__(
        self, fetcher: Fetcher, places: Places, summary: Summary | None, *, indexed: bool
    ) -> None:
        """Take in the summary.

        Args:
            fetcher: Gets indexes.
            places: Where they are.
            summary: Of the remote, if it has one or it was needed.
            indexed: Whether its configuration promises indexes.
        """
        self._fetcher = fetcher
        self._places = places
        self._digests: DeltaDigests = {}
        self._indexed = indexed
        self.indexes_fetched = 0
        if summary is not None:
            self._digests = delta_digests(summary.metadata)
            self._indexed = self._indexed or bool(summary.metadata.lookup(KEY_INDEXED_DELTAS, "b"))
        self.are_listed = self._indexed or bool(self._digests)

    def to(self, commit: Checksum) -> DeltaDigests:
        """Return the deltas to a commit, and the digests of their superblocks.

        Raises:
            FetchError: The index cannot be had.
            DeltaFormatError: It is none.
        """
        if self._indexed:
            urls = self._places.content_urls(index_path(commit))
            response = fetch_one(self._fetcher, Request(urls, _MAX_INDEX_BYTES))
            self.indexes_fetched += 1
            if not response.is_absent:
                try:
                    self._digests |= decode_delta_index(response.read())
                except FormatError as exc:
                    exc.put_first(f"While fetching {response.url}")
                    raise
        return {name: digest for name, digest in self._digests.items() if name.to == commit}
