# SPDX-License-Identifier: Apache-2.0
"""Snapshot: which version each file of Targets has.

::

    "meta": {"targets.json": {"version": 4, "length": …, "hashes": {"sha256": …}}}

Source: Uptane Standard 2.1.0, section 5.2.4; TUF specification 1.0, section 4.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.fields import MAX_VERSION, Fields
from ostrya.uptane.metadata.hashes import read_hashes
from ostrya.uptane.metadata.header import Header, read_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.metadata.json_text import Json, Object

MAX_FILES = 20_000


class MetaFile(NamedTuple):
    """What one file of metadata says of another.

    Attributes:
        version: Which version it has.
        length: How many bytes; None where that is not said.
        hashes: Its digests, hexadecimal, by algorithm; empty where none are said.
        extra: Fields that are not known.
    """

    version: int
    length: int | None = None
    hashes: Mapping[str, str] = {}
    extra: Mapping[str, Json] = {}

    def to_json(self) -> Object:
        """Return it as metadata has it."""
        value: Object = {**self.extra, "version": self.version}
        if self.length is not None:
            value["length"] = self.length
        if self.hashes:
            value["hashes"] = dict(self.hashes)
        return value


class Snapshot(NamedTuple):
    """A repository's Snapshot.

    Attributes:
        header: What all roles say.
        meta: Files by their names.
        extra: Fields that are not known.
    """

    header: Header
    meta: Mapping[str, MetaFile]
    extra: Mapping[str, Json] = {}

    def to_json(self, dialect: Dialect) -> Object:
        """Return what is signed."""
        return {
            **self.extra,
            **self.header.to_json(dialect, Role.SNAPSHOT),
            "meta": {name: one.to_json() for name, one in self.meta.items()},
        }


def read_meta_file(value: Json, where: str) -> MetaFile:
    """Read what is said of a file of metadata.

    Raises:
        MetadataInvalid: It is nothing of that kind.
    """
    fields = Fields(value, where)
    version = fields.integer("version", 0, MAX_VERSION)
    length = fields.integer("length") if fields.has("length") else None
    hashes = read_hashes(fields, "hashes") if fields.has("hashes") else {}
    return MetaFile(version, length, hashes, fields.rest())


def read_snapshot(value: Json, dialect: Dialect, what: str = "snapshot") -> Snapshot:
    """Read what is signed.

    Raises:
        MetadataInvalid: It is no Snapshot.
    """
    fields = Fields(value, what)
    header = read_header(fields, dialect, Role.SNAPSHOT)
    listed = fields.mapping("meta")
    if len(listed) > MAX_FILES:
        raise fields.wrong("meta", f"a list of more than {MAX_FILES}")
    meta = {name: read_meta_file(one, f"{name[:80]} in {what}") for name, one in listed.items()}
    return Snapshot(header, meta, fields.rest())
