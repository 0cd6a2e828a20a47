# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.delegations import check_role_name, read_delegations
from ostrya.uptane.metadata.dialect import Dialect
from support.uptane_world import key

KEYS = {"1": key(1).key.to_json()}
ROLE = {"name": "r", "keyids": ["1"], "threshold": 1, "paths": ["a/*"], "terminating": False}
MEMBER = {"name": "m", "keyids": ["1"], "threshold": 1}
NONE: frozenset[str] = frozenset()


def read(*roles, dialect=Dialect.UPTANE):
    return read_delegations({"keys": KEYS, "roles": list(roles)}, dialect, "it")


@pytest.mark.parametrize(
    "role",
    [
        ROLE,
        {**ROLE, "terminating": True, "hardwareIds": ["board"], "new": 1},
        {**{k: v for k, v in ROLE.items() if k != "paths"}, "path_hash_prefixes": ["0a"]},
        {"roles": [MEMBER, {**MEMBER, "name": "n"}], "min_roles_in_agreement": 2, "paths": ["*"], "terminating": True},
    ],
)  # fmt: skip
def test_what_is_read_is_written(role):
    value = {"keys": KEYS, "roles": [role], "new": 2}
    assert read_delegations(value, Dialect.UPTANE, "it").to_json() == value


def test_who_is_trusted_with_what_in_order():
    found = read(ROLE, {**ROLE, "name": "s", "paths": ["b"]}, {**ROLE, "name": "t", "paths": ["*"]})
    assert [one.name for one in found.roles_for(Dialect.UPTANE, "a/x", NONE)] == ["r", "t"]
    assert [one.name for one in found.roles_for(Dialect.UPTANE, "b", NONE)] == ["s", "t"]


def test_kinds_of_hardware():
    (role,) = read({**ROLE, "hardwareIds": ["board", "sensor"]}).roles
    assert role.covers(Dialect.UPTANE, "a/x", frozenset({"board"}))
    assert not role.covers(Dialect.UPTANE, "a/x", frozenset({"board", "other"}))


@pytest.mark.parametrize(
    ("role", "why"),
    [
        ({**ROLE, "name": "targets"}, "which none may have"),
        ({**ROLE, "name": "../x"}, "which none may have"),
        ({**ROLE, "path_hash_prefixes": ["0"]}, "has not one of"),
        ({k: v for k, v in ROLE.items() if k != "paths"}, "has not one of"),
        ({**ROLE, "threshold": 0}, "not from 1"),
        ({**ROLE, "paths": ["*a" * 20]}, "a pattern of more than"),
        ({"roles": [MEMBER, MEMBER], "min_roles_in_agreement": 1, "paths": ["*"]}, "names a role twice"),
        ({"roles": [MEMBER], "min_roles_in_agreement": 2, "paths": ["*"]}, "not from 1 to 1"),
    ],
)  # fmt: skip
def test_refused(role, why):
    with pytest.raises(MetadataInvalid, match=why):
        read(role)


def test_a_role_comes_once():
    with pytest.raises(MetadataInvalid, match="names a role twice"):
        read(ROLE, ROLE)


def test_succinct_roles():
    value = {
        "keys": KEYS,
        "succinct_roles": {"keyids": ["1"], "threshold": 1, "bit_length": 8, "name_prefix": "bin"},
    }
    found = read_delegations(value, Dialect.TUF, "it")
    assert found.to_json() == value
    # SHA-256 of "a" begins with ca.
    assert [one.name for one in found.roles_for(Dialect.TUF, "a", NONE)] == ["bin-ca"]
    with pytest.raises(MetadataInvalid, match="beside 'roles'"):
        read_delegations({**value, "roles": []}, Dialect.TUF, "it")


def test_names_of_roles():
    check_role_name("supplier-1", "it")
    for name in ("", "a/b", "a\\b", ".a", "root", "x" * 201, "a\n"):
        with pytest.raises(MetadataInvalid):
            check_role_name(name, "it")
