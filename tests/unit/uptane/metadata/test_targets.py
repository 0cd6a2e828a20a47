# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.targets import read_targets
from support.uptane_world import key

HEADER = {"_type": "Targets", "version": 3, "expires": "2026-11-30T12:00:00Z"}
IMAGE = {"length": 9, "hashes": {"sha256": "0" * 64}}


def test_what_is_read_is_written():
    value = {
        **HEADER,
        "targets": {"a/b": IMAGE, "c": {**IMAGE, "custom": {"x": [1]}, "new": 1}},
        "delegations": {"keys": {"1": key(1).key.to_json()}, "roles": []},
        "custom": {"correlationId": "c"},
        "new": 1,
    }
    assert read_targets(value, Dialect.UPTANE).to_json(Dialect.UPTANE) == value


def test_null_is_none():
    image = {**IMAGE, "custom": None}
    found = read_targets({**HEADER, "targets": {"a": image}, "delegations": None}, Dialect.UPTANE)
    assert found.delegations is None
    assert found.images["a"].custom is None


@pytest.mark.parametrize(
    "targets",
    [[], {"../a": IMAGE}, {"a": {"length": 1}}, {"a": {**IMAGE, "length": -1}}, {"a": {**IMAGE, "hashes": {}}}, {"a": {**IMAGE, "custom": 1}}],
)  # fmt: skip
def test_refused(targets):
    with pytest.raises(MetadataInvalid):
        read_targets({**HEADER, "targets": targets}, Dialect.UPTANE)
