# SPDX-License-Identifier: Apache-2.0
"""Commit: the object that names a root directory, its parent and who may vouch for it.

Wire format, GVariant ``(a{sv}aya(say)sstayay)``, alignment 8::

    a{sv}    metadata: version, ref bindings, size entries and whatever the author adds
    ay       parent commit: 32 bytes, or none
    a(say)   related objects: always empty today
    s        subject
    s        body
    t        time, big-endian, seconds since 1970 UTC
    ay       dirtree of the root, 32 bytes
    ay       dirmeta of the root, 32 bytes

A size entry, one ``ay`` of the ``aay`` under ``ostree.sizes``::

    32 bytes checksum | varint archived size | varint unpacked size | byte type (newer commits)

Limits: no metadata key is empty; order and duplicates of keys are part of the bytes and kept.

Source: ostree-core.h (OSTREE_COMMIT_GVARIANT_FORMAT, OSTREE_COMMIT_META_KEY_*), ostree-core.c
(ostree_validate_structureof_commit, ostree_commit_get_object_sizes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ostrya.formats.checksum import RAW_LENGTH, Checksum, from_raw, to_raw
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.gvariant.byteorder import decode_time, encode_time
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectType
from ostrya.formats.varint import decode_varint, encode_varint
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMIT_TYPE = "(a{sv}aya(say)sstayay)"

KEY_VERSION = "version"
KEY_ARCHITECTURE = "ostree.architecture"
KEY_ENDOFLIFE = "ostree.endoflife"
KEY_ENDOFLIFE_REBASE = "ostree.endoflife-rebase"
KEY_SOURCE_TITLE = "ostree.source-title"
KEY_REF_BINDING = "ostree.ref-binding"
KEY_COLLECTION_BINDING = "ostree.collection-binding"
KEY_SIZES = "ostree.sizes"
KEY_BOOTABLE = "ostree.bootable"
KEY_LINUX = "ostree.linux"
KEY_COMPOSEFS_DIGEST = "ostree.composefs.digest.v0"


class Commit(NamedTuple):
    """One commit.

    Attributes:
        timestamp: Seconds since 1970 UTC, negative before it.
    """

    metadata: VarDict
    parent: Checksum | None
    related: tuple[tuple[str, Checksum], ...]
    subject: str
    body: str
    timestamp: int
    root_contents: Checksum
    root_metadata: Checksum

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Parse a ``.commit`` object.

        Raises:
            FormatError: Not in normal form, a metadata key is empty, or a checksum is not one.
        """
        fields = decode_variant(COMMIT_TYPE, data)
        metadata, parent, related, subject, body, timestamp, contents, root_meta = fields
        if metadata.get("") is not None:
            raise ObjectFormatError("Empty metadata key")
        return cls(
            metadata,
            _checksum(parent, "Invalid commit parent") if parent else None,
            tuple((name, _checksum(raw, "Invalid related object")) for name, raw in related),
            subject,
            body,
            decode_time(timestamp),
            _checksum(contents, "Invalid commit tree content checksum"),
            _checksum(root_meta, "Invalid commit tree metadata checksum"),
        )

    def encode(self) -> bytes:
        """Give the bytes of the object.

        Raises:
            FormatError: A field does not fit.
        """
        if self.metadata and VarDict.get(self.metadata, "") is not None:
            raise ObjectFormatError("Empty metadata key")
        if not -1 << 63 <= self.timestamp < 1 << 63:
            raise ObjectFormatError(f"Invalid commit time {self.timestamp}")
        fields = (
            self.metadata,
            to_raw(self.parent) if self.parent is not None else b"",
            tuple((name, to_raw(checksum)) for name, checksum in self.related),
            self.subject,
            self.body,
            encode_time(self.timestamp),
            to_raw(self.root_contents),
            to_raw(self.root_metadata),
        )
        return encode_variant(COMMIT_TYPE, fields)


class SizeEntry(NamedTuple):
    """How large one object of a commit is.

    Attributes:
        unpacked: Bytes of the content, or of the metadata object.
        archived: Bytes of the file in an archive repository.
    """

    checksum: Checksum
    type: ObjectType
    unpacked: int
    archived: int


def content_checksum(commit: Commit) -> Checksum:
    """Give the checksum of what is in the commit, whoever made it and whenever."""
    from hashlib import sha256

    root = to_raw(commit.root_contents) + to_raw(commit.root_metadata)
    return Checksum(sha256(root).hexdigest())


def decode_sizes(metadata: VarDict) -> tuple[SizeEntry, ...] | None:
    """Read the size entries of a commit's metadata; None if it has none.

    Raises:
        ObjectFormatError: An entry is cut short or names an unknown type.
    """
    entries = metadata.lookup(KEY_SIZES, "aay")
    return None if entries is None else tuple(_decode_size(entry) for entry in entries)


def encode_sizes(entries: Iterable[SizeEntry]) -> Variant:
    """Give the value of ``ostree.sizes`` for these entries, sorted by checksum."""
    return Variant("aay", tuple(_encode_size(entry) for entry in sorted(entries)))


def ref_bindings(metadata: VarDict) -> tuple[str, ...] | None:
    """Give the refs that a commit is bound to; None if it says nothing."""
    bindings: tuple[str, ...] | None = metadata.lookup(KEY_REF_BINDING, "as")
    return bindings


def collection_binding(metadata: VarDict) -> str | None:
    """Give the collection id that a commit is bound to; None if it says nothing."""
    binding: str | None = metadata.lookup(KEY_COLLECTION_BINDING, "s")
    return binding


def _checksum(raw: bytes, context: str) -> Checksum:
    try:
        return from_raw(raw)
    except ObjectFormatError as exc:
        raise ObjectFormatError(f"{context}: {exc.message}") from exc


def _decode_size(entry: bytes) -> SizeEntry:
    try:
        archived, at = decode_varint(entry, RAW_LENGTH)
        unpacked, at = decode_varint(entry, at)
    except ObjectFormatError as exc:
        raise ObjectFormatError("Unexpected EOF reading ostree.sizes varint") from exc
    # Commits from before 2020.1 do not say the type: files only.
    kind = entry[at] if at < len(entry) else ObjectType.FILE
    if not ObjectType.FILE <= kind <= ObjectType.FILE_XATTRS_LINK:
        raise ObjectFormatError(f"Unexpected ostree.sizes object type {kind}")
    return SizeEntry(Checksum(entry[:RAW_LENGTH].hex()), ObjectType(kind), unpacked, archived)


def _encode_size(entry: SizeEntry) -> bytes:
    sizes = encode_varint(entry.archived) + encode_varint(entry.unpacked)
    return to_raw(entry.checksum) + sizes + bytes([entry.type])
