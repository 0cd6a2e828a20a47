# SPDX-License-Identifier: Apache-2.0
"""A summary as text, laid out as libostree lays it out, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.dump import format_local, metadata_as_json, print_variant
from ostrya.formats.gvariant.byteorder import decode_time
from ostrya.repo.free_space import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.gvariant.vardict import Variant
    from ostrya.formats.summary import Summary, SummaryRef

SUMMARY_TYPE = "(a(s(taya{sv}))a{sv})"

_REF_TITLES = {"ostree.commit.timestamp": "Timestamp", "ostree.commit.version": "Version"}
_TITLES = {
    "ostree.static-deltas": "Static Deltas",
    "ostree.summary.last-modified": "Last-Modified",
    "ostree.summary.expires": "Expires",
    "ostree.summary.collection-id": "Collection ID",
    "ostree.summary.collection-map": "Collection Map",
    "ostree.summary.mode": "Repository Mode",
    "ostree.summary.tombstone-commits": "Has Tombstone Commits",
}
_TIMES = frozenset(
    {"ostree.commit.timestamp", "ostree.summary.last-modified", "ostree.summary.expires"}
)


def format_summary(summary: Summary) -> str:
    """Return what ``summary --view`` prints."""
    lines = []
    for collection_id, ref in _all_refs(summary):
        lines += [*_format_ref(collection_id, ref), ""]
    for key, value in summary.metadata:
        lines.append(_format_entry(key, value, _TITLES.get(key)))
    return "".join(f"{line}\n" for line in lines)


def summary_as_json(summary: Summary, *, signed: bool) -> dict[str, object]:
    """Return a summary as the values that ``--json`` prints."""
    refs = [
        {
            "ref": ref.name,
            "collection_id": collection_id,
            "commit": ref.checksum,
            "commit_bytes": ref.size,
            "timestamp": ref.timestamp,
            "metadata": metadata_as_json(ref.metadata),
        }
        for collection_id, ref in _all_refs(summary)
    ]
    return {
        "refs": refs,
        "last_modified": summary.last_modified,
        "expires": summary.expires,
        "collection_id": summary.collection_id,
        "metadata": metadata_as_json(summary.metadata.without("ostree.summary.collection-map")),
        "signed": signed,
    }


def _all_refs(summary: Summary) -> Iterator[tuple[str | None, SummaryRef]]:
    for ref in summary.refs:
        yield summary.collection_id, ref
    for collection_id, refs in summary.collection_map().items():
        for ref in refs:
            yield collection_id, ref


def _format_ref(collection_id: str | None, ref: SummaryRef) -> list[str]:
    name = ref.name if collection_id is None else f"({collection_id}, {ref.name})"
    lines = [f"* {name}", f"    Latest Commit ({format_size(ref.size)}):", f"      {ref.checksum}"]
    lines += [
        f"    {_format_entry(key, value, _REF_TITLES.get(key))}" for key, value in ref.metadata
    ]
    return lines


def _format_entry(key: str, value: Variant, title: str | None) -> str:
    if title is None:
        return f"{key}: {print_variant(value, annotate=False)}"
    return f"{title} ({key}): {_format_known(key, value)}"


def _format_known(key: str, value: Variant) -> str:
    if key in _TIMES and value.type == "t":
        # Libostree writes times big-endian.
        return format_local(decode_time(value.value))
    if key == "ostree.summary.collection-map":
        return "(printed above)"
    if value.type == "b":
        return "Yes" if value.value else "No"
    return str(value.value) if value.type == "s" else print_variant(value, annotate=False)
