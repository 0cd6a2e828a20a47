# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from ostrya.uptane.client import offline
from ostrya.uptane.client.errors import MediumUnreadable
from ostrya.uptane.client.offline import MediumSource, MountedMedium
from ostrya.uptane.client.primary import End
from ostrya.uptane.client.state import Area, load_troubles
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.errors import ImageRejected
from ostrya.uptane.steps import Repository
from support.ota_lockbox import CONTENT, Stick
from support.ota_world import SERIAL, Device, MemoryServer
from support.uptane_world import make_world


@pytest.fixture
def stick(tmp_path):
    return Stick(tmp_path / "desk")


@pytest.fixture
def device(tmp_path, stick):
    """A device that trusts the desk's roots; its server is another one's."""
    world = make_world()
    world.vehicle = world.vehicle._replace(ecus={SERIAL: "board"}, installed={})
    device = Device(tmp_path / "device", MemoryServer(world))
    stick.give_roots(device.database)
    return device


def look(device, stick, **parts):
    with device.primary() as primary:
        medium = MountedMedium(primary._parts, str(stick.mount))
        return medium.look(primary)


def test_an_update_from_a_stick(device, stick, tmp_path):
    found = look(device, stick)
    assert (found.end, found.jobs[0].target.correlation_id) == (
        End.INSTALLED, "urn:ostrya:lockbox:box:1",
    )  # fmt: skip
    (path,) = (tmp_path / "device/images").iterdir()
    assert path.read_bytes() == CONTENT
    assert device.server.asked == []
    # What was dealt with stays dealt with, also for the next process.
    assert look(device, stick) is None
    # The result is told once the device is online.
    assert [one.code for _, one, _ in device.state()["results"].values()] == ["OK"]


def test_a_stick_that_is_another_is_looked_at(device, stick):
    look(device, stick)
    stick.add("newer", b"newer firmware")
    stick.write(("newer",))
    assert look(device, stick).end is End.INSTALLED


def test_nothing_there(device, stick):
    shutil.rmtree(stick.mount)
    assert look(device, stick) is None


@pytest.mark.parametrize(
    "damage",
    [
        "box.json",
        "offline-snapshot.json",
        "../image-repo/snapshot.json",
        "../../images/fw",
        "forged",
    ],
)
def test_a_stick_that_is_refused(device, stick, tmp_path, damage):
    """X23: nothing installed, what was trusted stays, and it is told why."""
    before = device.state()["trusted"]
    path = Path(stick.mount, "metadata/director", "box.json" if damage == "forged" else damage)
    if damage == "forged":
        path.write_bytes(path.read_bytes().replace(b"fw", b"fx"))
    else:
        path.unlink()
    found = look(device, stick)
    assert found.end is End.FAILED
    after = device.state()
    assert [one for one in after["log"] if one.state.value == "current"] == []
    if damage != "../../images/fw":
        assert after["trusted"][Repository.DIRECTOR] == before[Repository.DIRECTOR]
    with open_storage(device.database) as storage:
        assert load_troubles(storage)[Area.UPDATES].message


def test_a_refused_stick_is_looked_at_again_when_it_comes_back(device, stick):
    (stick.mount / "metadata/director/box.json").unlink()
    with device.primary() as primary:
        medium = MountedMedium(primary._parts, str(stick.mount))
        assert medium.look(primary).end is End.FAILED
        assert medium.look(primary) is None
        away = stick.mount.with_name("away")
        stick.mount.rename(away)
        assert medium.look(primary) is None
        away.rename(stick.mount)
        assert medium.look(primary).end is End.FAILED


def test_an_older_stick_is_a_rollback_of_the_list(device, stick):
    old = stick.mount.with_name("old")
    shutil.copytree(stick.mount, old, copy_function=shutil.copy2)
    stick.add("newer", b"newer firmware")
    stick.write(("newer",))
    assert look(device, stick).end is End.INSTALLED
    shutil.rmtree(stick.mount)
    old.rename(stick.mount)
    assert look(device, stick).end is End.FAILED


def test_a_link_is_not_followed_out_of_the_stick(device, stick):
    path = stick.mount / "metadata/director/box.json"
    path.unlink()
    path.symlink_to("/etc/passwd")
    found = look(device, stick)
    assert found.end is End.FAILED
    assert isinstance(found.error, MediumUnreadable)
    assert found.words.startswith(f"{path} is a link, or something else than a file")


@pytest.mark.parametrize(
    "make", [os.mkdir, os.mkfifo, Path.symlink_to], ids=["folder", "fifo", "link"]
)
def test_what_is_no_plain_file_is_no_image(device, stick, make):
    path = stick.mount / "images/fw"
    path.unlink()
    make(path, *(["/etc/passwd"] if make is Path.symlink_to else []))
    found = look(device, stick)
    assert isinstance(found.error, MediumUnreadable)
    assert device.state()["log"] == ()


def test_a_medium_that_is_taken_away(device, stick, monkeypatch):
    class Gone:
        def __enter__(self):
            return self

        def __exit__(self, *exc_info):
            pass

        def read(self, count):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(offline, "_open", lambda _path: Gone())
    found = look(device, stick)
    assert isinstance(found.error, MediumUnreadable)
    assert "cannot be read: Input/output error" in found.words
    assert "still there?" in found.words


def test_commits_come_from_the_stick(tmp_path):
    source = MediumSource(str(tmp_path / "a stick"))
    hub = source.treehub("https://elsewhere")
    assert hub.url == f"file://{tmp_path}/a%20stick/ostree"
    with pytest.raises(ImageRejected, match="not on the medium"), source.open_image("x", "", 0, 9):
        pass
    os.makedirs(tmp_path / "a stick/images/a")
    (tmp_path / "a stick/images/a/x").write_bytes(b"0123456789")
    with source.open_image("a/x", "", 4, 10) as body:
        assert (body.offset, body.total, b"".join(body.chunks)) == (4, 10, b"456789")
