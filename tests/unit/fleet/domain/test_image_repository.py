# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from ostrya.fleet.domain.image_repository import Pushed
from ostrya.fleet.domain.services import open_services
from ostrya.fleet.domain.setup import Plan, make_fleet
from ostrya.fleet.errors import BadRequest, Conflict, NotFound, NotNow
from ostrya.fleet.settings import Settings
from ostrya.uptane.author import delegate, images, keyring, publish, roles, workplace
from ostrya.uptane.author.images import About
from support.fleet_server import publish_file


@pytest.fixture
def laptop(tmp_path, clock):
    """A server, and the workplace where its images are signed."""
    settings = Settings(str(tmp_path / "offline"))
    make_fleet(Plan(settings, image_folder=str(tmp_path / "laptop")), clock.now)
    with open_services(str(tmp_path / "offline"), now=clock) as found:
        yield found, workplace.open_workplace(str(tmp_path / "laptop"))


def sign(work, clock):
    assert not publish.publish(work, clock.now).missing


def pushed(work, **changes):
    envelope = work.published("targets")
    roots = tuple(
        Path(work.path("repository", f"{number}.root.json")).read_bytes()
        for number in range(1, work.root_version() + 1)
    )
    return Pushed(roots, envelope.to_bytes())._replace(**changes)


def test_images_are_published_and_taken_out(services, tmp_path, clock):
    publish_file(services, tmp_path)
    assert list(services.images.all_images()) == ["fw-1"]
    with open(services.images.image_path("fw-1"), "rb") as stream:
        assert stream.read() == b"fw-1" * 100
    services.images.remove("fw-1", clock.now)
    assert services.images.all_images() == {}
    with pytest.raises(NotFound):
        services.images.remove("fw-1", clock.now)


def test_refused_images_leave_nothing_staged(services, tmp_path, clock):
    publish_file(services, tmp_path)
    (tmp_path / "other").write_bytes(b"other")
    with pytest.raises(Conflict, match="another image fw-1"):
        services.images.add(
            "fw-1", str(tmp_path / "other"), About(("b",)), clock.now, is_commit=False
        )
    with pytest.raises(BadRequest):
        services.images.add(
            "../x", str(tmp_path / "other"), About(("b",)), clock.now, is_commit=False
        )
    with pytest.raises(Conflict, match="no kind of hardware"):
        services.images.add("x", "0" * 64, About(()), clock.now, is_commit=True)
    assert services.images.work.staged_roles() == ()


@pytest.mark.parametrize("name", ["../x", "/x", "", "a\\b", "\u00e4", "x" * 300, "a/./b"])
def test_names_that_lead_elsewhere(services, name):
    with pytest.raises(NotFound):
        services.images.image_path(name)


def test_it_is_signed_anew_in_time(services, clock):
    before = services.images.work.timestamp().header.version
    assert services.images.refresh(clock.now) == ()
    clock.forward(hours=22, minutes=59)
    assert services.images.refresh(clock.now) == ()
    clock.forward(minutes=2)
    assert services.images.needs_refresh(clock.now)
    assert services.images.refresh(clock.now)
    assert services.images.work.timestamp().header.version == before + 1
    targets = services.images.work.newest_targets().header.version
    clock.forward(days=30)
    services.images.refresh(clock.now)
    assert services.images.work.newest_targets().header.version == targets + 1
    clock.forward(days=320)
    services.images.refresh(clock.now)
    assert services.images.work.root_version() == 2


def test_a_root_that_is_signed_elsewhere_is_left_alone(laptop, clock):
    services, _ = laptop
    clock.forward(days=360)
    services.images.refresh(clock.now)
    assert services.images.work.root_version() == 1


def test_what_was_signed_elsewhere_is_published(laptop, clock):
    services, work = laptop
    images.add_commit(work, "os-1", "a" * 64, About(("board",)), clock.now)
    sign(work, clock)
    before = services.images.work.timestamp().header.version
    assert services.images.push(pushed(work), clock.now)
    assert list(services.images.all_images()) == ["os-1"]
    assert services.images.work.timestamp().header.version == before + 1
    assert services.images.push(pushed(work), clock.now) == ()


def test_somebody_else_pushed_in_between(laptop, clock):
    services, work = laptop
    checksum = services.images.checksum()
    assert checksum == hashlib.sha256(services.images.read("targets.json")).hexdigest()
    images.add_commit(work, "os-1", "a" * 64, About(("board",)), clock.now)
    sign(work, clock)
    services.images.push(pushed(work, expected=checksum), clock.now)
    images.add_commit(work, "os-2", "b" * 64, About(("board",)), clock.now)
    sign(work, clock)
    with pytest.raises(NotNow) as caught:
        services.images.push(pushed(work, expected=checksum), clock.now)
    assert caught.value.code == "role_checksum_mismatch"
    assert list(services.images.all_images()) == ["os-1"]


def test_what_is_older_or_unsigned_is_refused(laptop, clock, tmp_path):
    services, work = laptop
    first = pushed(work)
    images.add_commit(work, "os-1", "a" * 64, About(("board",)), clock.now)
    sign(work, clock)
    services.images.push(pushed(work), clock.now)
    with pytest.raises(Conflict, match="version 1, and 2 is published"):
        services.images.push(first, clock.now)
    other = tmp_path / "other"
    stranger = roles.create(str(other), work.settings, roles.NewKeys("ed25519", {}), clock.now)
    sign(stranger, clock)
    for _ in range(3):
        roles.renew(stranger, "targets", clock.now)
        sign(stranger, clock)
    with pytest.raises(Conflict) as caught:
        services.images.push(pushed(stranger, roots=()), clock.now)
    assert caught.value.code == "unmet_threshold"
    with pytest.raises(BadRequest):
        services.images.push(Pushed(targets=b"{}"), clock.now)
    with pytest.raises(Conflict, match="another root 1"):
        services.images.push(pushed(stranger, targets=b""), clock.now)
    assert list(services.images.all_images()) == ["os-1"]
    assert services.images.work.staged_roles() == ()


def test_new_keys_of_targets_come_with_what_they_signed(laptop, clock):
    services, work = laptop
    roles.rotate(work, "targets", "ed25519", roles.RolePlan(), clock.now)
    sign(work, clock)
    services.images.push(pushed(work), clock.now)
    assert services.images.work.root_version() == 2
    assert services.images.read("targets.json") == work.published("targets").to_bytes()


def test_new_keys_of_the_timestamp_have_to_be_here(laptop, clock):
    services, work = laptop
    roles.rotate(work, "timestamp", "ed25519", roles.RolePlan(), clock.now)
    sign(work, clock)
    with pytest.raises(Conflict, match="timestamp"):
        services.images.push(pushed(work), clock.now)
    assert services.images.work.root_version() == 1


def test_roles_that_targets_trust(laptop, clock, tmp_path):
    services, work = laptop
    secret = keyring.make_key("ed25519")
    keyring.write_key(str(tmp_path / "supplier"), "s", secret)
    trust = delegate.Trust(("supplier/*",))
    delegate.add(work, "supplier", [str(tmp_path / "supplier" / "s.pub")], trust, clock.now)
    work.keyring.folders += (str(tmp_path / "supplier"),)
    work.keyring.look_again()
    images.add_commit(work, "supplier/fw", "a" * 64, About(("board",), role="supplier"), clock.now)
    sign(work, clock)
    found = {"supplier": work.published("supplier").to_bytes()}
    services.images.push(pushed(work, delegations=found), clock.now)
    assert services.images.role_names() == ("targets", "supplier")
    assert services.images.trusted_roles() == ("supplier",)
    assert "supplier/fw" in services.images.all_images()
    assert services.images.read("delegations/supplier.json") == found["supplier"]


def test_files_are_read_as_they_are_now(services, clock):
    images_ = services.images
    before = images_.read("timestamp.json")
    assert images_.read("timestamp.json") is before
    publish.publish(images_.work, clock.now + timedelta(hours=1))
    assert images_.read("timestamp.json") != before
    assert images_.read("nothing.json") is None
    assert images_.read("targets") is None
