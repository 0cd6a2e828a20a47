# SPDX-License-Identifier: Apache-2.0
"""Summary: what refs a repository offers, in one file that can be signed and fetched.

Wire format, GVariant ``(a(s(taya{sv}))a{sv})``, alignment 8::

    refs, sorted by name, each
      s        name
      t        size of the commit object in bytes (host order, unlike other integers)
      ay       checksum of the commit, 32 bytes
      a{sv}    ostree.commit.timestamp   t   big-endian, seconds since 1970 UTC
               ostree.commit.version     s   the commit's "version", if it has one
    metadata
      ostree.summary.last-modified       t   big-endian, seconds since 1970 UTC
      ostree.summary.expires             t   big-endian, seconds since 1970 UTC
      ostree.summary.mode                s   the repository's mode, as its config says it
      ostree.summary.tombstone-commits   b
      ostree.summary.indexed-deltas      b
      ostree.summary.collection-id       s   the collection of the refs above
      ostree.summary.collection-map      a{sa(s(taya{sv}))}   the refs of other collections
      ostree.static-deltas               a{sv}   names of deltas and digests of their superblocks

``summary.sig`` beside it is an ``a{sv}`` of signatures over the whole file, see commitmeta.

Source: ostree-core.h (OSTREE_SUMMARY_GVARIANT_FORMAT), ostree-repo-private.h
(OSTREE_SUMMARY_*), ostree-repo.c (regenerate_metadata).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ostrya.formats.checksum import Checksum, from_raw, to_raw
from ostrya.formats.errors import ObjectFormatError, SummaryFormatError
from ostrya.formats.gvariant.byteorder import decode_time, encode_time
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant, glib_dict_order
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ostrya.formats.commit import Commit

SUMMARY_TYPE = "(a(s(taya{sv}))a{sv})"
COLLECTION_MAP_TYPE = "a{sa(s(taya{sv}))}"

KEY_LAST_MODIFIED = "ostree.summary.last-modified"
KEY_EXPIRES = "ostree.summary.expires"
KEY_MODE = "ostree.summary.mode"
KEY_TOMBSTONE_COMMITS = "ostree.summary.tombstone-commits"
KEY_INDEXED_DELTAS = "ostree.summary.indexed-deltas"
KEY_COLLECTION_ID = "ostree.summary.collection-id"
KEY_COLLECTION_MAP = "ostree.summary.collection-map"
KEY_STATIC_DELTAS = "ostree.static-deltas"
KEY_COMMIT_TIMESTAMP = "ostree.commit.timestamp"
KEY_COMMIT_VERSION = "ostree.commit.version"

# The years 1 to 9999: what GLib's calendar, which libostree asks, can say.
_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799


class SummaryRef(NamedTuple):
    """One ref of a summary.

    Attributes:
        size: Of the commit object, in bytes.
    """

    name: str
    size: int
    checksum: Checksum
    metadata: VarDict = VarDict()

    @property
    def timestamp(self) -> int | None:
        """When the commit was made, in seconds since 1970 UTC, if the summary says so."""
        return _time(self.metadata, KEY_COMMIT_TIMESTAMP)


class Summary(NamedTuple):
    """The refs of a repository and what it says of itself."""

    refs: tuple[SummaryRef, ...] = ()
    metadata: VarDict = VarDict()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Parse a ``summary`` file.

        Raises:
            FormatError: Not in normal form, or a checksum is not one.
        """
        refs, metadata = decode_variant(SUMMARY_TYPE, data)
        return cls(_decode_refs(refs), metadata)

    def encode(self) -> bytes:
        """Give the bytes of the file.

        Raises:
            FormatError: A field does not fit.
        """
        return encode_variant(SUMMARY_TYPE, (_encode_refs(self.refs), self.metadata))

    @property
    def last_modified(self) -> int | None:
        """When the summary was made, in seconds since 1970 UTC, if it says so."""
        return _time(self.metadata, KEY_LAST_MODIFIED)

    @property
    def expires(self) -> int | None:
        """When the summary is stale, in seconds since 1970 UTC, if it says so."""
        return _time(self.metadata, KEY_EXPIRES)

    @property
    def collection_id(self) -> str | None:
        """The collection that ``refs`` belong to, if any."""
        found: str | None = self.metadata.lookup(KEY_COLLECTION_ID, "s")
        return found

    def collection_map(self) -> dict[str, tuple[SummaryRef, ...]]:
        """Give the refs of each other collection, by collection id.

        Raises:
            SummaryFormatError: A checksum is not one.
        """
        entries = self.metadata.lookup(KEY_COLLECTION_MAP, COLLECTION_MAP_TYPE) or ()
        return {collection_id: _decode_refs(refs) for collection_id, refs in entries}

    def find(self, name: str, collection_id: str | None = None) -> SummaryRef | None:
        """Find a ref: a main one, or one of a collection."""
        refs = self.refs
        if collection_id not in (None, self.collection_id):
            refs = self.collection_map().get(str(collection_id), ())
        return next((ref for ref in refs if ref.name == name), None)


class SummaryFacts(NamedTuple):
    """What a summary says of its repository, besides the refs.

    Attributes:
        mode: As the config writes it: ``bare``, ``archive-z2`` …
        last_modified: Now, in seconds since 1970 UTC.
        tombstone_commits: Whether deleted commits leave tombstones.
        collection_id: Of the repository.
        static_deltas: Names of deltas and digests of their superblocks; None to leave them out.
        additional: What the caller adds; it stands first, and gives way where keys are equal.
    """

    mode: str
    last_modified: int
    tombstone_commits: bool = False
    collection_id: str | None = None
    static_deltas: VarDict | None = None
    additional: VarDict = VarDict()


def summary_ref(name: str, checksum: Checksum, size: int, commit: Commit) -> SummaryRef:
    """Describe a ref as summaries do.

    Args:
        name: Of the ref.
        checksum: Of the commit.
        size: Of the commit object, in bytes.
        commit: The commit itself.
    """
    entries: dict[str, Variant] = {}
    if _FIRST_SECOND <= commit.timestamp <= _LAST_SECOND:
        entries[KEY_COMMIT_TIMESTAMP] = Variant("t", encode_time(commit.timestamp))
    version = commit.metadata.lookup("version", "s")
    if version is not None:
        entries[KEY_COMMIT_VERSION] = Variant("s", version)
    return SummaryRef(name, size, checksum, _in_glib_order(entries))


def build_summary(
    refs: Iterable[SummaryRef],
    collections: Mapping[str, Iterable[SummaryRef]],
    facts: SummaryFacts,
) -> Summary:
    """Put a summary together: the same bytes that libostree would write.

    Args:
        refs: Refs without a collection; left out if the repository has a collection id.
        collections: Refs by collection id. Those of the repository's own are the main ones.
        facts: The rest.
    """
    main = tuple(refs)
    others = {key: found for key, members in collections.items() if (found := tuple(members))}
    if facts.collection_id is not None:
        main = others.pop(facts.collection_id, ())
    entries = facts.additional.to_dict()
    if facts.static_deltas:
        entries[KEY_STATIC_DELTAS] = Variant("a{sv}", _in_glib_order(facts.static_deltas.to_dict()))
    entries[KEY_LAST_MODIFIED] = Variant("t", encode_time(facts.last_modified))
    entries[KEY_MODE] = Variant("s", facts.mode)
    entries[KEY_TOMBSTONE_COMMITS] = Variant("b", facts.tombstone_commits)
    entries[KEY_INDEXED_DELTAS] = Variant("b", value=True)
    if facts.collection_id is not None:
        entries[KEY_COLLECTION_ID] = Variant("s", facts.collection_id)
    if others:
        entries[KEY_COLLECTION_MAP] = Variant(COLLECTION_MAP_TYPE, _encode_map(others))
    return Summary(_sorted(main), _in_glib_order(entries))


def _in_glib_order(entries: Mapping[str, Variant]) -> VarDict:
    return VarDict((key, entries[key]) for key in glib_dict_order(entries))


def _sorted(refs: Iterable[SummaryRef]) -> tuple[SummaryRef, ...]:
    return tuple(sorted(refs, key=lambda ref: ref.name))


def _encode_map(collections: Mapping[str, tuple[SummaryRef, ...]]) -> tuple[Any, ...]:
    return tuple((key, _encode_refs(_sorted(refs))) for key, refs in sorted(collections.items()))


def _encode_refs(refs: tuple[SummaryRef, ...]) -> tuple[Any, ...]:
    return tuple((ref.name, (ref.size, to_raw(ref.checksum), ref.metadata)) for ref in refs)


def _decode_refs(refs: tuple[Any, ...]) -> tuple[SummaryRef, ...]:
    return tuple(
        SummaryRef(name, size, _checksum(raw, name), metadata)
        for name, (size, raw, metadata) in refs
    )


def _checksum(raw: bytes, name: str) -> Checksum:
    try:
        return from_raw(raw)
    except ObjectFormatError as exc:
        raise SummaryFormatError(f"summary entry of ref {name}: {exc.message}") from exc


def _time(metadata: VarDict, key: str) -> int | None:
    value = metadata.lookup(key, "t")
    return None if value is None else decode_time(value)
