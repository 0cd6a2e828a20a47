# SPDX-License-Identifier: Apache-2.0
"""Attacks on a whole client: each works where one check is missing, and is refused where it is not.

Refused means: nothing is installed, what was trusted of the Director stays, the state and an event
say why, and the Director is told which attack it was.
"""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from ostrya.uptane import checks, full_verification
from ostrya.uptane.client.primary import End
from ostrya.uptane.client.state import Area, load_troubles
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.errors import (
    AnswerTooLarge,
    ServerTooSlow,
    ServerUnreachable,
    UptaneRefusal,
)
from ostrya.uptane.steps import Repository
from support.ota_sysroot import SysrootDevice, commit_image
from support.ota_world import SERIAL, make_device, offer
from support.uptane_world import NOW, assigned, image, key

CONTENT = b"firmware " * 500


@pytest.fixture
def device(tmp_path):
    """A device that runs ``first``, and is offered ``firmware``."""
    device = make_device(tmp_path)
    offer(device, "first", b"first release", "urn:update:0")
    assert device.cycle().end is End.INSTALLED
    offer(device, "firmware", CONTENT, "urn:update:1")
    return device


def running(device) -> str:
    with device.primary() as primary:
        parts = primary._parts
        return parts.installer.running(device.state()["log"]).name


def refused(device, attack: str, cycles: int = 1, *, of_metadata: bool = True):
    """Show that a cycle refuses, and what it leaves behind."""
    before = device.state()["trusted"][Repository.DIRECTOR]
    events = len(device.server.events)
    for _ in range(cycles):
        found = device.cycle()
    assert found.end is End.FAILED, found
    assert running(device) == "first"
    after = device.state()["trusted"][Repository.DIRECTOR]
    if of_metadata:
        assert {**after, "root": b""} == {**before, "root": b""}
    with open_storage(device.database) as storage:
        trouble = load_troubles(storage)[Area.UPDATES]
    assert trouble.message == (found.error.message)
    new = list(device.server.events.values())[events:]
    kinds = [one["eventType"]["id"] for one in new]
    assert sum(kind in ("UpdateRefused", "UpdateFailed") for kind in kinds) == 1
    assert ("UpdateRefused" in kinds) is (isinstance(found.error, UptaneRefusal))
    assert attack in device.server.manifests[-1].reports[SERIAL].attacks
    return found


def works(device, monkeypatch, *names: str) -> None:
    """Show that the attack works on a client without some checks."""
    with monkeypatch.context() as patch:
        for name in names:
            patch.setattr(checks, name, lambda *_: None)
        assert device.cycle().end is End.INSTALLED
    assert running(device) != "first"


@pytest.fixture
def attack(device, monkeypatch, tmp_path):
    """Let an attack happen to two devices that are the same: one without checks, one with them."""

    def show(harm, kind: str, *names: str) -> None:
        harm(device)
        copy = tmp_path / "copy"
        shutil.copytree(device.top / "sota", copy / "sota")
        manifests, events = list(device.server.manifests), dict(device.server.events)
        counters = dict(device.server.registered.ecus)
        works(device, monkeypatch, *names)
        device.top = copy
        device.server.manifests, device.server.events = manifests, events
        device.server.registered.ecus.update(counters)
        refused(device, kind)

    return show


@pytest.mark.parametrize("which", list(Repository), ids=lambda w: w.value)
@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_freeze(attack, which, role):
    """X04."""

    def harm(device):
        repo = device.server.world.repo(which)
        repo.expires[role] = NOW - timedelta(seconds=1)
        if role == "root":
            repo.write_root()
        repo.publish()

    attack(harm, "freeze", "check_unexpired")


def test_an_older_image(attack):
    """X07: the release counter of what runs counts."""

    def harm(device):
        told = image(CONTENT, releaseCounter=4)
        device.server.world.image.images["firmware"] = told
        device.server.world.director.images = {"firmware": assigned(told)}
        device.server.world.publish()
        with open_storage(device.database) as storage, storage.transaction() as connection:
            connection.execute("UPDATE installs SET release_counter = 5 WHERE state = 'current'")

    attack(harm, "rollback", "check_release_counter")


@pytest.mark.parametrize("who", ["director", "image"])
def test_one_set_of_keys_alone(attack, who):
    """X10, X13: whoever has the keys of one repository only."""

    def harm(device):
        repo = getattr(device.server.world, who)
        repo.keys = {
            **repo.keys,
            **{one: [key(90)] for one in ("timestamp", "snapshot", "targets")},
        }
        repo.publish()

    attack(harm, "arbitrary software", "check_signed")


def test_what_the_image_repository_does_not_say(attack, monkeypatch):
    """X09: other bytes for the Director than for the Image repository."""

    def harm(device):
        device.server.contents["firmware"] = b"evil " * 900
        told = image(b"evil " * 900)
        device.server.world.director.images = {"firmware": assigned(told)}
        device.server.world.director.publish()
        device.server.world.image.images["firmware"] = told._replace(
            hashes=device.server.world.image.images["firmware"].hashes
        )
        device.server.world.image.publish()

    original = full_verification.Agreed

    def agreed(name, length, _hashes, ecus, counter, is_ostree, uri, director, other):
        # Without the check it would have to be one of the two that counts.
        return original(
            name, length, director.hashes, ecus, counter, is_ostree, uri, director, other
        )

    with monkeypatch.context() as patch:
        patch.setattr(full_verification, "Agreed", agreed)
        attack(harm, "mix and match", "check_same_hashes")


def test_replayed_metadata_of_another_vehicle(attack):
    """X11: the Director means another vehicle, whose ECUs have the same serials."""

    def harm(device):
        device.server.world.director.custom = {"vehicleId": "another", "correlationId": "u"}
        device.server.world.director.publish()

    attack(harm, "mix-up of devices", "check_vehicle")


def test_an_ecu_that_is_another_vehicles(device):
    """X11: nothing is installed by a serial that is not ours, whatever is checked."""
    director = device.server.world.director
    director.images = {"firmware": assigned(image(CONTENT), "ecu-9")}
    director.publish()
    refused(device, "mix-up of devices")


FILES = ["director/2.root.json", "director/timestamp.json", "director/snapshot.json",
         "director/targets.json", "image/2.root.json", "image/timestamp.json",
         "image/snapshot.json", "image/targets.json"]  # fmt: skip


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "error",
    [ServerUnreachable("u", "no answer"), ServerTooSlow("u", "too slow"), AnswerTooLarge("u", 9)],
    ids=["dropped", "slow", "endless"],
)
def test_a_request_that_is_harmed(device, file, error):
    """X02, X03, X08: for each file in turn; the next cycle succeeds."""

    def harm(when, what):
        if (when, what) == ("before", file):
            raise error

    device.server.hook = harm
    refused(device, getattr(error, "attack", ""))
    device.server.hook = lambda *_: None
    assert device.cycle().end is End.INSTALLED
    assert running(device) == "firmware"


@pytest.mark.parametrize("error", [ServerUnreachable("u", "broke"), ServerTooSlow("u", "slow")])
def test_a_download_that_breaks_off_is_gone_on_from(device, error):
    """X02, X03."""

    def harm(when, what):
        if when == "chunk" and what.endswith(" 3000"):
            raise error

    device.server.hook = harm
    refused(device, "", of_metadata=False)
    device.server.hook = lambda *_: None
    assert device.cycle().end is End.INSTALLED
    assert device.server.asked[-3] == "image firmware 3000"


def test_an_endless_image_fills_no_disk_and_is_given_up(device, tmp_path):
    """X08, X21: it is read to its length, three times, and no more."""
    device.server.contents["firmware"] = b"x" * 100_000
    refused(device, "arbitrary software", cycles=3, of_metadata=False)
    assert device.cycle().end is End.GIVEN_UP
    downloads = [one for one in device.server.asked if one.startswith("image firmware")]
    assert len(downloads) == 3
    left = sum(path.stat().st_size for path in (tmp_path / "images").iterdir())
    assert left <= len(b"first release")


class TestDeployments:
    """X20: what boots is something else than was installed."""

    @pytest.fixture
    def sysroot(self, tmp_path):
        found = SysrootDevice(tmp_path / "m")
        yield found
        found.close()

    @pytest.fixture
    def device(self, tmp_path, sysroot):
        device = make_device(tmp_path / "d", installer=sysroot.installer())
        checksum = sysroot.releases.make("2")
        device.server.treehub_url = sysroot.releases.url
        told = commit_image(checksum)
        world = device.server.world
        world.image.images["os-2"] = told
        world.director.images = {"os-2": assigned(told)}
        world.publish()
        return device

    def restart(self, device, sysroot):
        sysroot.shut_down()
        sysroot.machine.start()
        device.restart()

    def test_a_release_that_is_found_good(self, device, sysroot):
        from ostrya.sysroot.verdict import mark_good

        assert device.cycle().end is End.RESTART
        self.restart(device, sysroot)
        assert device.cycle().end is End.TRIAL
        assert device.server.results() == []
        mark_good(sysroot.machine.sysroot, sysroot.machine.loaded)
        assert device.cycle().end is End.UP_TO_DATE
        assert device.server.results() == [(SERIAL, "OK")]

    def test_a_release_that_falls_back_is_not_tried_for_ever(self, device, sysroot):
        from support.trial_world import settled

        assert device.cycle().end is End.RESTART
        self.restart(device, sysroot)
        for _ in range(4):
            sysroot.machine.start()
        settled(sysroot.machine)
        ends = [device.cycle().end for _ in range(4)]
        assert ends[-1] is End.GIVEN_UP
        assert set(device.server.results()) == {(SERIAL, "INSTALL_FAILED")}
        assert len(sysroot.machine.loaded.all) == 2
        words = [
            one["event"].get("description", "") for one in device.server.events.values()
            if one["eventType"]["id"] == "EcuInstallationCompleted"
        ]  # fmt: skip
        assert words[0].startswith("it was rolled back: it did not come up")

    def test_objects_that_were_tampered_with(self, device, sysroot):
        """X10."""
        path = sysroot.releases.repo.path
        (checksum,) = {one.hashes["sha256"] for one in device.server.world.director.images.values()}
        with open(f"{path}/objects/{checksum[:2]}/{checksum[2:]}.commit", "r+b") as file:
            file.seek(100)
            file.write(b"\xff")
        assert device.cycle().end is End.FAILED
        assert device.server.results() == [(SERIAL, "VERIFICATION_FAILED")]
        assert device.server.manifests[-1].reports[SERIAL].attacks == "arbitrary software"
        assert len(sysroot.machine.loaded.all) == 1
