# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane.author.publish import publish
from ostrya.uptane.author.roles import (
    NewKeys,
    RolePlan,
    create,
    expiries,
    parse_plans,
    renew,
    role_names,
    rotate,
)
from ostrya.uptane.author.workplace import DAYS, Settings
from ostrya.uptane.errors import AuthoringError, MetadataMismatch
from ostrya.uptane.metadata.dialect import Dialect
from support.uptane_world import NOW


def test_roles():
    assert role_names(Settings(Dialect.UPTANE, DAYS)) == (
        "root",
        "timestamp",
        "snapshot",
        "targets",
    )
    assert role_names(Settings(Dialect.UPTANE, DAYS, True))[4:] == (
        "offline-updates",
        "offline-snapshot",
    )


def test_keys_where_they_are_wanted(make, tmp_path):
    make(plans={"root": RolePlan(3, 2, (str(tmp_path / "a"), str(tmp_path / "b")))}, sign=False)
    assert [len(list((tmp_path / one).glob("root-*.sec"))) for one in "ab"] == [2, 1]
    assert list((tmp_path / "img/keys").glob("root-*")) == []


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "root"])
def test_new_keys(work, device, role):
    client = device(work)
    before = client.refresh().root.role(role).key_ids
    made = rotate(work, role, "ed25519", RolePlan(2, 2), NOW)
    publish(work, NOW)
    root = client.refresh().root
    assert root.role(role).key_ids == made
    assert root.role(role).threshold == 2
    assert not set(before) & set(root.keys)


def test_a_lost_key_does_not_help_any_more(work, device):
    """Who has the old key cannot sign Targets for a device that saw the new root."""
    client = device(work)
    old = (client.folder / "targets.json").read_bytes()
    rotate(work, "targets", "ed25519", RolePlan(), NOW)
    publish(work, NOW)
    (client.folder / "targets.json").write_bytes(old)
    with pytest.raises(MetadataMismatch):
        client.refresh()


def test_words():
    plans = parse_plans(["root=3"], ["root=2", "targets=2"], ["root=/a", "root=/b"])
    assert plans == {"root": RolePlan(3, 2, ("/a", "/b")), "targets": RolePlan(2, 2)}
    for words in (["root"], ["root=x"]):
        with pytest.raises(AuthoringError, match="is not understood"):
            parse_plans(words, [], [])


@pytest.mark.parametrize(
    "plans",
    [
        {"root": RolePlan(1, 2)},
        {"root": RolePlan(101, 1)},
        {"nobody": RolePlan()},
        {"offline-updates": RolePlan()},
    ],
)
def test_what_cannot_be(tmp_path, plans):
    with pytest.raises(AuthoringError):
        create(str(tmp_path / "x"), Settings(Dialect.UPTANE, DAYS), NewKeys("ed25519", plans), NOW)
    assert not (tmp_path / "x").exists()


def test_a_new_lifetime_with_the_same_keys(work, device):
    client = device(work)
    keys = client.refresh().root.keys
    later = NOW + timedelta(days=300)
    renew(work, "root", later)
    renew(work, "targets", later)
    publish(work, later)
    far = later + timedelta(days=6)
    assert client.refresh(far).root.keys == keys
    assert expiries(work)["root"] == expiries(work)["targets"] == later + timedelta(days=365)
    for role in ("timestamp", "nobody"):
        with pytest.raises(AuthoringError):
            renew(work, role, later)
