# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta

import pytest

from ostrya.fleet.certificates import server_names
from ostrya.fleet.domain.fleet import read_identity
from ostrya.fleet.domain.services import open_services
from ostrya.fleet.domain.setup import Plan, make_fleet, renew_server_if_due
from ostrya.fleet.errors import SetupError
from ostrya.fleet.settings import Database, Server, Settings
from ostrya.uptane.author import roles, workplace
from ostrya.uptane.author.images import About
from ostrya.uptane.metadata.dialect import Dialect

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def plan(folder, **changes):
    return Plan(Settings(str(folder), Server("demo", ("localhost",))), **changes)


def test_nobody_else_reads_it(tmp_path):
    make_fleet(plan(tmp_path / "f"), NOW)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o700
    for where, _, names in os.walk(tmp_path / "f"):
        for name in names:
            if name.endswith((".key", ".sec", ".toml", ".db")):
                path = os.path.join(where, name)
                assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path


def test_what_is_there_stays(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "x").touch()
    with pytest.raises(SetupError, match="exists already"):
        make_fleet(plan(tmp_path / "f"), NOW)
    assert os.listdir(tmp_path / "f") == ["x"]
    with pytest.raises(SetupError, match="there is no folder"):
        make_fleet(plan(tmp_path / "none" / "f"), NOW)


def test_what_fails_leaves_nothing_behind(tmp_path):
    settings = Settings(str(tmp_path / "f"), database=Database("sqlite:////nowhere/at/all.db"))
    with pytest.raises(OSError, match="/nowhere"):
        make_fleet(Plan(settings), NOW)
    assert os.listdir(tmp_path) == []


def test_keys_that_stay_elsewhere(tmp_path):
    make_fleet(plan(tmp_path / "f", image_folder=str(tmp_path / "laptop")), NOW)
    with open_services(str(tmp_path / "f"), now=lambda: NOW) as services:
        assert services.images.is_here("timestamp")
        assert services.images.is_here("snapshot")
        assert not services.images.is_here("targets")
        assert not services.images.is_here("root")
        theirs = workplace.open_workplace(str(tmp_path / "laptop"))
        assert theirs.root_envelope() == services.images.work.root_envelope()
        with pytest.raises(Exception, match="too few keys signed targets"):
            services.images.add("a", "0" * 64, About(("board",)), NOW, is_commit=True)
        assert services.images.all_images() == {}


def test_a_workplace_without_the_keys_that_have_to_be_online(tmp_path):
    folder = str(tmp_path / "laptop")
    plans = {"timestamp": roles.RolePlan(folders=(str(tmp_path / "safe"),))}
    settings = workplace.Settings(Dialect.UPTANE, workplace.DAYS)
    work = roles.create(folder, settings, roles.NewKeys("ed25519", plans), NOW)
    work.keyring.folders += (str(tmp_path / "safe"),)
    from ostrya.uptane.author.publish import publish

    publish(work, NOW)
    with pytest.raises(SetupError, match="keys of timestamp are not in"):
        make_fleet(plan(tmp_path / "f", image_folder=folder), NOW)
    assert not (tmp_path / "f").exists()


def test_the_server_gets_another_certificate_when_its_names_change(tmp_path):
    make_fleet(plan(tmp_path / "f"), NOW)
    with open_services(str(tmp_path / "f")) as services:
        settings, authority = services.settings, services.fleet.authority
        assert not renew_server_if_due(authority, settings, NOW)
        names = ("a.example", "10.0.0.1", "fe80::1")
        changed = settings._replace(server=settings.server._replace(hostnames=names))
        assert renew_server_if_due(authority, changed, NOW)
        found = read_identity(settings.path("ca"), "server").certificate
        assert server_names(found) == set(names)
        assert not renew_server_if_due(authority, changed, NOW)
        late = found.not_valid_after_utc - timedelta(days=29)
        assert renew_server_if_due(authority, changed, late)
        os.unlink(settings.path("ca", "server.key"))
        assert renew_server_if_due(authority, changed, late)


def test_rsa_keys(tmp_path):
    make_fleet(plan(tmp_path / "f", key_type="rsa2048"), NOW)
    with open_services(str(tmp_path / "f")) as services:
        kinds = {one.kind for one in services.director.work.root().keys.values()}
    assert kinds == {"rsa"}
