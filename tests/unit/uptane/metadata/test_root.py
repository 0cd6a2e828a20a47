# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.root import read_root
from support.uptane_world import make_repo

BOTH = pytest.mark.parametrize("dialect", list(Dialect), ids=lambda d: d.value)


@BOTH
def test_what_is_read_is_written(dialect):
    value = make_repo("r", 1, dialect).root().to_json(dialect)
    value["new"] = {"x": [1]}
    value["roles"]["other"] = {"keyids": [], "threshold": 1, "more": 2}
    assert read_root(value, dialect).to_json(dialect) == value


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_all_four_roles_have_to_be_there(role):
    value = make_repo("r", 1).root().to_json(Dialect.UPTANE)
    del value["roles"][role]
    with pytest.raises(MetadataInvalid, match=f"root knows no role {role}"):
        read_root(value, Dialect.UPTANE)


def test_keys_of_a_role():
    root = make_repo("r", 1).root()
    (key_id,) = root.role("targets").key_ids
    assert root.keys_of("targets") == {key_id: root.keys[key_id]}
    assert root.keys_of("nobody") == {}
    with pytest.raises(MetadataInvalid, match="knows no role nobody"):
        root.role("nobody")


def test_too_many_roles():
    value = make_repo("r", 1).root().to_json(Dialect.UPTANE)
    value["roles"].update({str(at): {"keyids": [], "threshold": 1} for at in range(100)})
    with pytest.raises(MetadataInvalid, match="more than 100"):
        read_root(value, Dialect.UPTANE)


def test_kinds_of_keys_that_are_not_known_are_kept():
    value = make_repo("r", 1).root().to_json(Dialect.UPTANE)
    value["keys"]["new"] = {"keytype": "DILITHIUM", "keyval": {"public": "x"}}
    assert read_root(value, Dialect.UPTANE).keys["new"].keytype == "DILITHIUM"
