# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ostrya.uptane import checks, offline_verification
from ostrya.uptane.author import lockbox
from ostrya.uptane.author.images import About, add_file
from ostrya.uptane.author.lockbox import Sources, create_lockbox
from ostrya.uptane.author.publish import expiry, publish, sign_role
from ostrya.uptane.author.roles import NewKeys, create
from ostrya.uptane.author.workplace import DAYS, Settings
from ostrya.uptane.errors import (
    EcuMismatch,
    MetadataExpired,
    MetadataInvalid,
    MetadataMismatch,
    RollbackDetected,
    ThresholdNotMet,
)
from ostrya.uptane.full_verification import Installed, Vehicle
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.snapshot import Snapshot, read_snapshot
from ostrya.uptane.offline_verification import refresh_offline_snapshot, verify_offline
from ostrya.uptane.steps import Repository, run_steps
from ostrya.uptane.trusted_set import open_trusted
from support.uptane_world import NOW, make_world

VEHICLE = Vehicle({"ecu-1": "board"}, {"ecu-1": Installed("old", {"sha256": "0" * 64}, 3)})


class Medium:
    """A lockbox on a medium, a device that it is carried to, and who makes it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.vehicle = folder, VEHICLE
        self.sources = Sources(*(self.make(name) for name in ("images", "director")))
        content = folder / "fw.bin"
        content.write_bytes(b"firmware")
        add_file(self.sources.images, "fw", str(content), About(("board",), release_counter=4), NOW)
        publish(self.sources.images, NOW)
        self.write()
        self.kept = {
            which: {"root": (self.path(which) / "1.root.json").read_bytes()} for which in Repository
        }

    def make(self, name):
        settings = Settings(Dialect.UPTANE, DAYS, is_director=name == "director")
        work = create(str(self.folder / name), settings, NewKeys("ed25519", {}), NOW)
        publish(work, NOW)
        return work

    def write(self, name="box", now=NOW, images=("fw",)):
        create_lockbox(self.sources, name, images, str(self.folder / "usb"), now)

    def path(self, which):
        name = "director" if which is Repository.DIRECTOR else "image-repo"
        return self.folder / "usb/metadata" / name

    def fetch(self, wanted):
        path = self.path(wanted.repository) / wanted.file.removeprefix("delegations/")
        return path.read_bytes() if path.exists() else None

    def keep(self, accepted):
        self.kept[accepted.repository] = dict(accepted.trusted.files)

    def verify(self, now=NOW):
        trusted = [open_trusted(one.shown, Dialect.UPTANE, self.kept[one]) for one in Repository]
        return run_steps(verify_offline(*trusted, self.vehicle, now), self.fetch, self.keep)


@pytest.fixture
def medium(tmp_path):
    return Medium(tmp_path)


@pytest.fixture
def refused(medium, monkeypatch):
    """Show that an attack works without some checks, and is refused with them."""

    def show(error, *names, now=NOW, module=checks):
        before = dict(medium.kept)
        with monkeypatch.context() as patch:
            for name in names:
                patch.setattr(module, name, lambda *_: None)
            gave = medium.verify(now)
        medium.kept = dict(before)
        with pytest.raises(error):
            medium.verify(now)
        assert medium.kept[Repository.DIRECTOR] == before[Repository.DIRECTOR]
        return [one.name for one in gave.agreed]

    return show


def test_an_update_without_a_network(medium):
    gave = medium.verify()
    assert [(one.name, one.ecus) for one in gave.agreed] == [("fw", {"ecu-1": "board"})]
    assert gave.correlation_id == "urn:ostrya:lockbox:box:1"


def test_the_image_repositorys_snapshot_may_have_expired(medium):
    assert medium.verify(NOW + timedelta(days=60)).agreed


def test_what_is_installed_already(medium):
    done = Installed("fw", medium.verify().agreed[0].hashes, 4)
    medium.vehicle = VEHICLE._replace(installed={"ecu-1": done})
    assert medium.verify().agreed == ()


def test_expired(refused):
    assert refused(MetadataExpired, "check_unexpired", now=NOW + timedelta(days=400)) == ["fw"]


def test_an_older_lockbox(medium, refused):
    """It was carried here before; the device has seen a newer list since."""
    old = {path: path.read_bytes() for path in medium.path(Repository.DIRECTOR).iterdir()}
    medium.write()
    medium.verify()
    for path, data in old.items():
        path.write_bytes(data)
    assert refused(MetadataMismatch, "check_file", "check_version") == ["fw"]


def test_a_lockbox_that_the_list_leaves_out(medium, refused):
    medium.write("other")
    medium.verify()
    # Whoever holds the keys of the list makes one without it.
    work = medium.sources.director
    known = read_snapshot(work.published("offline-snapshot").signed, Dialect.UPTANE)
    header = Header(
        known.header.version + 1, expiry(work, "offline-snapshot", NOW), kind="Offline-Snapshot"
    )
    less = Snapshot(header, {"other.json": known.meta["other.json"]}).to_json(Dialect.UPTANE)
    data = sign_role(work, work.root(), "offline-snapshot", less).to_bytes()
    (medium.path(Repository.DIRECTOR) / "offline-snapshot.json").write_bytes(data)
    assert refused(RollbackDetected, "check_listed_files") == ["fw"]


def test_signed_by_other_keys(medium, refused, tmp_path):
    """Another Director's, of which the device does not know the root."""
    (tmp_path / "mallory").mkdir()
    mallory = Medium(tmp_path / "mallory")
    for name in ("box.json", "offline-snapshot.json"):
        data = (mallory.path(Repository.DIRECTOR) / name).read_bytes()
        (medium.path(Repository.DIRECTOR) / name).write_bytes(data)
    assert refused(ThresholdNotMet, "check_signed") == ["fw"]


def test_two_images_for_one_ecu(medium, refused):
    medium.vehicle = VEHICLE._replace(ecus={"ecu-1": "board"})
    content = medium.folder / "fw.bin"
    add_file(medium.sources.images, "fw-2", str(content), About(("board",), release_counter=4), NOW)
    publish(medium.sources.images, NOW)
    honest, lockbox._check_kinds = lockbox._check_kinds, lambda _images: None
    try:
        medium.write(images=("fw", "fw-2"))
    finally:
        lockbox._check_kinds = honest
    gave = refused(EcuMismatch, "check_one_image", module=offline_verification)
    assert sorted(gave) == ["fw", "fw-2"]


def test_a_file_that_is_not_on_the_medium(medium):
    (medium.path(Repository.DIRECTOR) / "box.json").unlink()
    with pytest.raises(MetadataInvalid, match="no lockbox that the Director lists"):
        medium.verify()


def test_another_vehicles_lockbox(medium):
    medium.vehicle = Vehicle({"ecu-1": "sensor"})
    assert medium.verify().agreed == ()


# -------------------------------------------------------------------- while there is a network


def refresh(medium, data):
    found = open_trusted("Director", Dialect.UPTANE, medium.kept[Repository.DIRECTOR])
    return run_steps(refresh_offline_snapshot(found), lambda _wanted: data, medium.keep)


def test_an_older_medium_is_refused_after_the_network_told_of_a_newer_one(medium):
    path = medium.path(Repository.DIRECTOR)
    old = {one: one.read_bytes() for one in path.iterdir()}
    medium.write()
    newest = (path / "offline-snapshot.json").read_bytes()
    for one, data in old.items():
        one.write_bytes(data)
    # Without the network, the device would take it.
    assert medium.verify().agreed
    assert refresh(medium, newest)[1] == ""
    with pytest.raises(MetadataMismatch):
        medium.verify()


def test_a_list_that_is_not_signed_leaves_other_updates_alone(medium, tmp_path):
    (tmp_path / "mallory").mkdir()
    data = (
        Medium(tmp_path / "mallory").path(Repository.DIRECTOR) / "offline-snapshot.json"
    ).read_bytes()
    found, why = refresh(medium, data)
    assert why.startswith("offline-snapshot of the Director is signed by 0 of the keys")
    assert "offline-snapshot" not in found.files
    assert refresh(medium, b"{")[1]


def test_a_director_without_a_list(medium):
    assert refresh(medium, None)[1] == ""
    world = make_world()
    found = open_trusted("Director", Dialect.UPTANE, {"root": world.director.files["1.root.json"]})
    assert run_steps(refresh_offline_snapshot(found), pytest.fail, pytest.fail)[1] == ""
