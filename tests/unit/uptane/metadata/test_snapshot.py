# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.snapshot import read_snapshot

HEADER = {"_type": "Snapshot", "version": 3, "expires": "2026-11-30T12:00:00Z"}


def test_what_is_read_is_written():
    value = {
        **HEADER,
        "meta": {
            "targets.json": {"version": 4},
            "a.json": {"version": 1, "length": 9, "hashes": {"sha256": "0" * 64, "md5": "x"}, "y": 1},
        },
        "new": 1,
    }  # fmt: skip
    assert read_snapshot(value, Dialect.UPTANE).to_json(Dialect.UPTANE) == value


@pytest.mark.parametrize(
    "meta",
    [
        [], {"a": 1}, {"a": {}}, {"a": {"version": -1}}, {"a": {"version": 1, "length": -1}},
        {"a": {"version": 1, "hashes": {"sha256": "0"}}}, {str(at): {"version": 1} for at in range(20001)},
    ],
)  # fmt: skip
def test_refused(meta):
    with pytest.raises(MetadataInvalid):
        read_snapshot({**HEADER, "meta": meta}, Dialect.UPTANE)
