# SPDX-License-Identifier: Apache-2.0
"""An ECU believes its own verification, each of three ways."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane.client.errors import ImageUnsuitable
from ostrya.uptane.client.primary import Mode
from ostrya.uptane.client.secondaries.bundle import Bundle, load_bundle
from ostrya.uptane.client.secondaries.ecu_identity import Verification
from ostrya.uptane.errors import (
    MetadataExpired,
    MetadataMismatch,
    RollbackDetected,
    TargetMismatch,
    ThresholdNotMet,
    UptaneRefusal,
)
from ostrya.uptane.steps import Repository
from support.ota_ecus import SECOND, FakeEcu, add_ecu
from support.ota_second import make_ecu
from support.ota_world import make_device
from support.uptane_world import LATER, NOW, image, key

CONTENT = b"sensor firmware"
ALL = list(Verification)


@pytest.fixture
def device(tmp_path):
    device = make_device(tmp_path / "primary")
    add_ecu(device, FakeEcu(), CONTENT)
    return device


def handed(device) -> Bundle:
    """What the Primary hands on after it has verified."""
    with device.primary() as primary:
        primary.cycle(Mode.CHECK)
        return load_bundle(primary._parts.storage)


def feed(ecu, content=CONTENT):
    ecu.begin()
    for at in range(0, len(content), 4):
        ecu.receive(content[at : at + 4])


@pytest.mark.parametrize("verification", ALL)
def test_what_is_assigned_is_installed_and_reported(device, tmp_path, verification):
    bundle = handed(device)
    with make_ecu(tmp_path / "e", verification) as ecu:
        assert ecu.report()["signed"]["installed_image"]["filepath"] == "unknown"
        ecu.put_metadata(bundle)
        assert ecu.assigned().target.name == "sensor"
        feed(ecu)
        assert ecu.install("sensor").result.success
        signed = ecu.report()["signed"]
    assert signed["installed_image"]["filepath"] == "sensor"
    assert signed["ecu_serial"] == SECOND
    assert "report_counter" not in signed
    with make_ecu(tmp_path / "e", verification) as ecu:
        ecu.put_metadata(bundle)


def test_each_believes_what_it_was_made_to(device, tmp_path):
    bundle = handed(device)
    for verification, trusts in zip(ALL, ((1, 1), (1, 0), (0, 1)), strict=True):
        with make_ecu(tmp_path / verification, verification) as ecu:
            ecu.put_metadata(bundle)
            assert tuple(ecu.root_version(one) for one in Repository) == trusts


@pytest.mark.parametrize("verification", ALL)
def test_roots_are_caught_up_with(device, tmp_path, verification):
    with make_ecu(tmp_path / "e", verification) as ecu:
        ecu.put_metadata(handed(device))
        for _ in range(2):
            for repo in (device.server.world.director, device.server.world.image):
                repo.keys["root"], old = [key(99)], repo.keys["root"]
                repo.write_root(also=old)
        device.server.world.publish()
        ecu.put_metadata(handed(device))
        newest = [ecu.root_version(one) for one in Repository]
    assert {one for one in newest if one} == {3}


@pytest.mark.parametrize("verification", ALL)
def test_forged_metadata_is_refused_told_and_changes_nothing(device, tmp_path, verification):
    bundle = handed(device)
    repo = device.server.world.director
    if verification is Verification.TUF:
        repo = device.server.world.image
    with make_ecu(tmp_path / "e", verification) as ecu:
        ecu.put_metadata(bundle)
        before = ecu.assigned()
        honest = dict(repo.keys)
        repo.keys = {**honest, **{one: [key(77)] for one in ("timestamp", "snapshot", "targets")}}
        repo.publish()
        which = "image" if verification is Verification.TUF else "director"
        names = ("timestamp", "snapshot", "targets")
        forged = {role: repo.files[f"{role}.json"] for role in names}
        files = {**getattr(bundle, which), **forged}
        with pytest.raises(ThresholdNotMet):
            ecu.put_metadata(bundle._replace(**{which: files}))
        assert ecu.assigned() == before
        assert ecu.report()["signed"]["attacks_detected"] == "arbitrary software"
        assert ecu.report()["signed"]["attacks_detected"] == ""


def test_an_older_bundle_is_a_rollback(device, tmp_path):
    old = handed(device)
    device.server.world.publish()
    new = handed(device)
    with make_ecu(tmp_path / "e", Verification.PARTIAL) as ecu:
        ecu.put_metadata(new)
        with pytest.raises(RollbackDetected):
            ecu.put_metadata(old)


def test_expired_metadata(device, tmp_path):
    bundle = handed(device)
    later = NOW + LATER + timedelta(days=1)
    with make_ecu(tmp_path / "e", clock=lambda: later) as ecu, pytest.raises(MetadataExpired):
        ecu.put_metadata(bundle)


def test_a_primary_that_lies_cannot_choose_an_image(device, tmp_path):
    """The Director of a Primary that was broken into says another image than the repository has."""
    bundle = handed(device)
    director = device.server.world.director
    from support.uptane_world import assigned

    director.images["sensor"] = assigned(image(b"other"), SECOND, "sensor")
    director.publish()
    files = {role: director.files[f"{role}.json"] for role in ("timestamp", "snapshot", "targets")}
    lie = bundle._replace(director={"root": director.files["1.root.json"], **files})
    with make_ecu(tmp_path / "e") as ecu, pytest.raises(TargetMismatch):
        ecu.put_metadata(lie)


def test_nothing_for_this_ecu_leaves_nothing_assigned(device, tmp_path):
    with make_ecu(tmp_path / "e") as ecu:
        ecu.put_metadata(handed(device))
        del device.server.world.director.images["sensor"]
        device.server.world.publish()
        ecu.put_metadata(handed(device))
        with pytest.raises(ImageUnsuitable, match="nothing is assigned"):
            ecu.begin()


def test_only_what_is_assigned_is_installed(device, tmp_path):
    with make_ecu(tmp_path / "e") as ecu:
        assert "nothing is assigned" in ecu.install("sensor").result.description
        ecu.put_metadata(handed(device))
        feed(ecu, b"sensor firmwarE")
        found = ecu.install("sensor").result
        assert found.code == "VERIFICATION_FAILED"
        feed(ecu)
        assert "not other" in ecu.install("other").result.description
        assert ecu.install("sensor").result.success


def test_tuf_takes_the_highest_version(device, tmp_path):
    images = device.server.world.image.images
    images["newest"] = image(b"newest", hardwareIds=["sensor"], version="10")
    images["newer"] = image(b"newer", hardwareIds=["sensor"], version="9")
    device.server.world.publish()
    with make_ecu(tmp_path / "e", Verification.TUF) as ecu:
        ecu.put_metadata(handed(device))
        assert ecu.assigned().target.name == "newest"
        images["other"] = image(b"other", hardwareIds=["sensor"], version="10")
        device.server.world.publish()
        with pytest.raises(MetadataMismatch, match="2 images"):
            ecu.put_metadata(handed(device))


def test_release_counters_do_not_go_back(device, tmp_path):
    images, director = device.server.world.image.images, device.server.world.director.images
    from support.uptane_world import assigned

    for counter in (5, 4):
        told = image(CONTENT + bytes([counter]), hardwareIds=["sensor"], releaseCounter=counter)
        images["sensor"], director["sensor"] = told, assigned(told, SECOND, "sensor")
        device.server.world.publish()
        bundle = handed(device)
        with make_ecu(tmp_path / "e") as ecu:
            if counter == 5:
                ecu.put_metadata(bundle)
                feed(ecu, CONTENT + b"\5")
                assert ecu.install("sensor").result.success
            else:
                with pytest.raises(RollbackDetected, match="release counter 4"):
                    ecu.put_metadata(bundle)


def test_an_aktualizr_primary_hands_on_no_timestamp_of_the_director(device, tmp_path):
    bundle = handed(device)
    director = {role: bundle.director[role] for role in ("root", "targets")}
    with make_ecu(tmp_path / "e") as ecu:
        ecu.put_metadata(Bundle(director, bundle.image))
        assert ecu.assigned().target.name == "sensor"
        with pytest.raises(UptaneRefusal):
            ecu.put_metadata(Bundle({}, bundle.image))
