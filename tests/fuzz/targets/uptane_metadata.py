# SPDX-License-Identifier: Apache-2.0
"""Metadata of TUF and Uptane: every role, in both dialects."""

from __future__ import annotations

from ostrya.uptane.errors import UptaneRefusal
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.json_text import Json
from ostrya.uptane.metadata.root import read_root
from ostrya.uptane.metadata.signed import RoleKeys, parse_envelope, signers
from ostrya.uptane.metadata.snapshot import read_snapshot
from ostrya.uptane.metadata.targets import read_targets
from ostrya.uptane.metadata.timestamp import read_timestamp

READERS = {
    "root": read_root,
    "timestamp": read_timestamp,
    "snapshot": read_snapshot,
    "targets": read_targets,
}


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read a file; what is written of it reads as the same."""
    dialect = Dialect.TUF if b"spec_version" in data else Dialect.UPTANE
    try:
        envelope = parse_envelope(data, dialect, 1 << 20, "it")
        written = envelope.to_bytes()
        assert parse_envelope(written, dialect, 1 << 20, "it").to_bytes() == written
        kind: Json = envelope.signed.get("_type")
        reader = READERS.get(str(kind).lower(), read_targets)
        found = reader(envelope.signed, dialect)
        assert reader(found.to_json(dialect), dialect) == found
        keys = getattr(found, "keys", {})
        assert len(signers(envelope, keys, RoleKeys(tuple(keys), 1))) <= len(keys)
    except UptaneRefusal as exc:
        exc.message.encode("utf-8", "surrogatepass")
        return exc
    return found
