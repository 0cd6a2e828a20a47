# SPDX-License-Identifier: Apache-2.0
"""Timestamp: which Snapshot is the newest.

::

    "meta": {"snapshot.json": {"version": 4, "length": …, "hashes": {"sha256": …}}}

Source: Uptane Standard 2.1.0, section 5.2.5; TUF specification 1.0, section 4.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.hashes import require_known_hash
from ostrya.uptane.metadata.header import Header, read_header
from ostrya.uptane.metadata.snapshot import MetaFile, read_meta_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.metadata.json_text import Json, Object

SNAPSHOT_FILE = "snapshot.json"


class Timestamp(NamedTuple):
    """A repository's Timestamp.

    Attributes:
        header: What all roles say.
        snapshot: What is said of the newest Snapshot.
        others: Other files that are listed, as they are.
        extra: Fields that are not known.
    """

    header: Header
    snapshot: MetaFile
    others: Mapping[str, Json] = {}
    extra: Mapping[str, Json] = {}

    def to_json(self, dialect: Dialect) -> Object:
        """Return what is signed."""
        return {
            **self.extra,
            **self.header.to_json(dialect, Role.TIMESTAMP),
            "meta": {**self.others, SNAPSHOT_FILE: self.snapshot.to_json()},
        }


def read_timestamp(value: Json, dialect: Dialect, what: str = "timestamp") -> Timestamp:
    """Read what is signed.

    Raises:
        MetadataInvalid: It is no Timestamp.
    """
    fields = Fields(value, what)
    header = read_header(fields, dialect, Role.TIMESTAMP)
    meta = Fields(fields.mapping("meta"), f"'meta' of {what}")
    snapshot = read_meta_file(meta.take(SNAPSHOT_FILE), f"{SNAPSHOT_FILE} in {what}")
    if dialect is Dialect.UPTANE:
        require_known_hash(snapshot.hashes, f"{SNAPSHOT_FILE} in {what}")
    return Timestamp(header, snapshot, meta.rest(), fields.rest())
