# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.timestamp import read_timestamp

HEADER = {"_type": "Timestamp", "version": 3, "expires": "2026-11-30T12:00:00Z"}
LISTED = {"version": 2, "length": 9, "hashes": {"sha256": "0" * 64}}


def test_what_is_read_is_written():
    value = {**HEADER, "meta": {"snapshot.json": LISTED, "other.json": [1]}, "new": 1}
    assert read_timestamp(value, Dialect.UPTANE).to_json(Dialect.UPTANE) == value


def test_a_digest_has_to_be_there_for_uptane_only():
    without = {"version": 2}
    with pytest.raises(MetadataInvalid, match="no digest"):
        read_timestamp({**HEADER, "meta": {"snapshot.json": without}}, Dialect.UPTANE)
    tuf = {
        **HEADER,
        "_type": "timestamp",
        "spec_version": "1.0",
        "meta": {"snapshot.json": without},
    }
    assert read_timestamp(tuf, Dialect.TUF).snapshot.hashes == {}


def test_a_snapshot_has_to_be_named():
    with pytest.raises(MetadataInvalid, match=r"no 'snapshot\.json'"):
        read_timestamp({**HEADER, "meta": {}}, Dialect.UPTANE)
