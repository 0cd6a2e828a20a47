# SPDX-License-Identifier: Apache-2.0
"""What a device says of bad input, as a program: in ``ota info``, and to its server as an event.

Whatever comes, what it runs stays; once all is well again, it goes on and nothing is wrong any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support import mounts
from support.disk_filling import FILLER, fill
from support.gateway import Gateway, refusal
from support.hostile import always
from support.ota_configured import ConfiguredDevice
from support.uptane_world import Repo, image, key, make_world

pytestmark = [pytest.mark.timeout(300)]
CONTENT = b"firmware" * 50
WEEK = timedelta(days=7)
MIB = 1 << 20
ROOM = 40 * MIB


class Place:
    """A device that runs one image, a server that has another one for it, and somebody between."""

    def __init__(self, top: Path, gateway: Gateway, **sections: dict) -> None:
        self.gateway = gateway
        self.world = make_world()
        self.identity = gateway.ca.issue("vehicle-1")
        cert, secret = self.identity.write(top / "d/import", "client")
        self.device = ConfiguredDevice(
            top / "d",
            tls={"server": gateway.url},
            network={"retries": 0, "request_timeout_sec": 10},
            provision={"primary_ecu_serial": "ecu-1"},
            **{
                "import": {
                    "tls_cacert_path": gateway.ca_path, "tls_clientcert_path": cert,
                    "tls_pkey_path": secret,
                },
                **sections,
            },
        )  # fmt: skip
        self.offer("old")
        assert self.device.once()["end"] == "installed"

    def offer(self, name: str, content: bytes = CONTENT) -> None:
        self.gateway.files[f"/repo/targets/{name}"] = content
        self.world.assign(name, image(content, releaseCounter=4))
        self.serve()

    def serve(self) -> None:
        """Serve what both repositories have."""
        for path, repo in (("director", self.world.director), ("repo", self.world.image)):
            self.gateway.files.update({f"/{path}/{one}": data for one, data in repo.files.items()})

    def refused(self, status: int = 70) -> str:
        return self.device.run("run", "once", status=status).stderr

    def seen(self) -> dict:
        return json.loads(self.device.run("info", "--json").stdout)

    def condition(self, area: str = "updates") -> str:
        """What is wrong; and the old image runs all the same."""
        seen = self.seen()
        running = seen["ecus"][0]["installed"]
        assert running is None or running["image"] == "old"
        found = {one["area"]: one for one in seen["troubles"]}
        return found[area]["condition"] if area in found else ""

    def told(self, kind: str) -> list[str]:
        events = self.gateway.fleet.events.values()
        return [
            one["event"].get("description", "") for one in events if one["eventType"]["id"] == kind
        ]


@pytest.fixture
def place(tmp_path):
    with Gateway(tmp_path / "gateway") as gateway:
        yield Place(tmp_path, gateway)


def newest(repo: Repo, role: str) -> str:
    return repo.file(role)


def resigned(repo: Repo, role: str, change: Callable[[dict], None], keys=None) -> None:
    signed = json.loads(repo.files[newest(repo, role)])["signed"]
    change(signed)
    repo.put(role, signed, keys)


def expired(repo: Repo) -> None:
    ended = datetime.now(UTC) - WEEK
    repo.expires = {"timestamp": ended}
    repo.publish()


def truncated(repo: Repo) -> None:
    name = newest(repo, "timestamp")
    repo.files[name] = repo.files[name][:100]


def unsigned(repo: Repo) -> None:
    resigned(repo, "timestamp", lambda _signed: None, [])


def wrongly_signed(repo: Repo) -> None:
    resigned(repo, "timestamp", lambda signed: signed.update(version=99), [key(77)])


def oversized(repo: Repo) -> None:
    repo.files[newest(repo, "timestamp")] = b" " * 10_000_000


def unknown(repo: Repo) -> None:
    resigned(repo, "timestamp", lambda signed: signed.update(_type="Sparkle"))


def no_metadata(repo: Repo) -> None:
    repo.files[newest(repo, "timestamp")] = b"<html>It works!</html>"


DAMAGES = {
    "expired": (expired, "metadata-expired", "expired on"),
    "truncated": (truncated, "metadata-refused", "timestamp"),
    "unsigned": (unsigned, "metadata-refused", "is signed by 0 of the keys"),
    "wrongly-signed": (wrongly_signed, "metadata-refused", "is signed by 0 of the keys"),
    "oversized": (oversized, "metadata-refused", "longer than"),
    "unknown": (unknown, "metadata-refused", "Sparkle"),
    "html": (no_metadata, "metadata-refused", "timestamp"),
}


@pytest.mark.parametrize("which", ["director", "image"])
@pytest.mark.parametrize("name", DAMAGES)
def test_metadata(place, name, which):
    damage, condition, words = DAMAGES[name]
    repo = getattr(place.world, which)
    place.offer("new")
    damage(repo)
    place.serve()
    said = place.refused()
    assert words in said
    assert place.condition() == condition
    (told,) = [*place.told("UpdateRefused"), *place.told("UpdateFailed")]
    assert words in told
    place.refused()
    # Told once, however often it is refused.
    assert len([*place.told("UpdateRefused"), *place.told("UpdateFailed")]) == 1
    repo.expires = {}
    place.offer("new")
    assert place.device.once()["end"] == "installed"
    seen = place.seen()
    assert (seen["troubles"], seen["ecus"][0]["installed"]["image"]) == ([], "new")


def test_a_server_that_is_away(place):
    place.offer("new")
    port = place.gateway.port
    text = place.device.config.read_text()
    place.device.config.write_text(text.replace(f":{port}", ":9"))
    assert "cannot be reached" in place.refused()
    assert place.condition() == "server-unreachable"
    place.device.config.write_text(text)
    assert place.device.once()["end"] == "installed"
    assert place.seen()["troubles"] == []
    (told,) = place.told("UpdateFailed")
    assert "cannot be reached" in told


def test_a_server_in_trouble(place):
    place.offer("new")
    before = len(place.gateway.fleet.events)
    place.gateway.rule(always(refusal(503, "busy", "later"), "/director/timestamp.json"))
    assert "status 503" in place.refused()
    assert place.condition() == "server-refused"
    assert len(place.gateway.fleet.events) > before
    (told,) = place.told("UpdateFailed")
    assert "busy" in told


def test_a_revoked_certificate(place):
    place.offer("new")
    place.gateway.ca.revoke(place.identity)
    place.refused()
    assert place.condition() in {"certificate-refused", "server-unreachable"}


def test_one_that_is_registered_twice(place, tmp_path):
    fleet = place.gateway.fleet
    fleet.ecus["another"] = fleet.ecus.pop("vehicle-1")
    text = place.device.config.read_text()
    place.device.config.write_text(text.replace(str(tmp_path / "d/sota"), str(tmp_path / "d/new")))
    said = place.refused()
    assert "ecu-1" in said
    assert "--new-identity" in said
    assert place.condition("provisioning") == "registered-twice"


def test_no_room_for_an_image(place):
    text = place.device.config.read_text()
    more = text.replace("[pacman]", "[pacman]\nmin_free_mib = 99999999")
    place.device.config.write_text(more)
    place.offer("new", b"another" * 50)
    said = place.refused()
    assert "stay so: min_free_mib of [pacman] says so" in said
    assert place.condition() == "disk-full"
    (told,) = [*place.told("UpdateFailed"), *place.told("UpdateRefused")]
    assert "stay so" in told
    place.device.config.write_text(text)
    assert place.device.once()["end"] == "installed"
    assert place.seen()["troubles"] == []


@pytest.fixture
def disk(tmp_path):
    """A file system with little room, where all of the device is."""
    try:
        yield mounts.mount("tmpfs", tmp_path / "disk", size=ROOM)
    finally:
        mounts.unmount(tmp_path / "disk")


@pytest.fixture
def narrow(disk, tmp_path):
    with Gateway(tmp_path / "gateway") as gateway:
        yield Place(disk, gateway)


@pytest.mark.loop
def test_an_image_that_does_not_fit(narrow):
    narrow.offer("new", b"n" * ROOM)
    narrow.refused()
    assert narrow.condition() == "disk-full"
    (told,) = narrow.told("UpdateFailed")
    assert "is tried again by itself" in told
    narrow.offer("new", b"n" * MIB)
    assert narrow.device.once()["end"] == "installed"
    assert narrow.seen()["troubles"] == []


@pytest.mark.loop
@pytest.mark.parametrize("blocks", [0, 1, 4, 8])
def test_a_disk_that_is_full(narrow, disk, blocks):
    """Not even the client's database can be written; the server is told all the same, and once."""
    narrow.offer("new", b"n" * MIB)
    fill(disk, blocks)
    for _ in range(2):
        assert "room" in narrow.refused()
    assert narrow.condition("storage") == "disk-full"
    (told,) = narrow.told("UpdateFailed")
    assert "room" in told
    (disk / FILLER).unlink()
    assert narrow.device.once()["end"] == "installed"
    seen = narrow.seen()
    assert (seen["troubles"], seen["ecus"][0]["installed"]["image"]) == ([], "new")
