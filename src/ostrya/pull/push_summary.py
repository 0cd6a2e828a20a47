# SPDX-License-Identifier: Apache-2.0
"""The summary of a target that no repository of ours is open on: built from its refs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.gvariant.vardict import VarDict
from ostrya.formats.summary import (
    KEY_COLLECTION_ID,
    KEY_COLLECTION_MAP,
    KEY_EXPIRES,
    KEY_INDEXED_DELTAS,
    KEY_LAST_MODIFIED,
    KEY_MODE,
    KEY_TOMBSTONE_COMMITS,
    Summary,
    SummaryFacts,
    SummaryRef,
    build_summary,
)
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ostrya.formats.checksum import Checksum

_OURS = frozenset(
    {
        KEY_COLLECTION_ID,
        KEY_COLLECTION_MAP,
        KEY_EXPIRES,
        KEY_INDEXED_DELTAS,
        KEY_LAST_MODIFIED,
        KEY_MODE,
        KEY_TOMBSTONE_COMMITS,
    }
)


class TargetFacts(NamedTuple):
    """What a target's ``config`` says that its summary repeats.

    Attributes:
        mode: As it is written there.
        collection_id: Of its own refs.
        tombstone_commits: Whether deleted commits leave tombstones.
    """

    mode: str
    collection_id: str | None = None
    tombstone_commits: bool = False


def renew_summary(
    old: Summary | None,
    refs: Mapping[str, Checksum],
    describe: Callable[[str, Checksum], SummaryRef],
    facts: TargetFacts,
    now: int,
) -> Summary:
    """Build the summary of some refs; what the old one says besides is kept.

    Args:
        old: The one before.
        refs: All refs of the target.
        describe: Makes the entry of a ref whose commit the old summary does not describe.
        facts: Of the target.
        now: Seconds since 1970 UTC.
    """
    described = {} if old is None else {ref.name: ref for ref in old.refs}
    entries = []
    for name, checksum in refs.items():
        known = described.get(name)
        same = known is not None and known.checksum == checksum
        entries.append(known if known is not None and same else describe(name, checksum))
    kept = {} if old is None else old.metadata.to_dict()
    others = {} if old is None else old.collection_map()
    collections: dict[str, tuple[SummaryRef, ...]] = {
        owner: found for owner, found in others.items() if owner != facts.collection_id
    }
    if facts.collection_id is not None:
        collections[facts.collection_id] = tuple(entries)
    return build_summary(
        entries,
        collections,
        SummaryFacts(
            mode=facts.mode,
            last_modified=now,
            tombstone_commits=facts.tombstone_commits,
            collection_id=facts.collection_id,
            additional=VarDict((key, value) for key, value in kept.items() if key not in _OURS),
        ),
    )
