# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import os

import pytest

from ostrya.fleet.certificates import Peer, Purpose
from ostrya.fleet.db import devices as rows
from ostrya.fleet.domain import devices
from ostrya.formats.checksum import checksum_of
from support.fleet_device import unpack
from support.fleet_server import DirectLink, direct_device, publish_file

# Everything that a gateway of aktualizr's kind is asked for.
ADDRESSES = [
    ("POST", "/director/ecus"),
    ("PUT", "/director/manifest"),
    ("GET", "/director/1.root.json"),
    ("GET", "/director/root.json"),
    ("GET", "/director/timestamp.json"),
    ("GET", "/director/snapshot.json"),
    ("GET", "/director/targets.json"),
    ("GET", "/repo/1.root.json"),
    ("GET", "/repo/root.json"),
    ("GET", "/repo/timestamp.json"),
    ("GET", "/repo/snapshot.json"),
    ("GET", "/repo/targets.json"),
    ("GET", "/repo/targets/fw-1"),
    ("GET", "/treehub/config"),
    ("PUT", "/core/installed"),
    ("PUT", "/system_info"),
    ("PUT", "/system_info/network"),
    ("POST", "/system_info/config"),
    ("POST", "/events"),
    ("GET", "/campaigner/campaigns"),
]


@pytest.fixture
def provisioning(services, gateway, look):
    (one,) = look(rows.certificates_of, "provisioning")
    return DirectLink(gateway, Peer(one.name, Purpose.PROVISIONING, one.serial))


def code(reply):
    return reply.status, reply.json()["code"]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_nothing_without_a_good_certificate(services, gateway, device, provisioning, method, path):
    known = device.link.peer
    for peer, wanted in (
        (None, (401, "certificate_missing")),
        (known._replace(serial="77"), (403, "certificate_not_registered")),
        (known._replace(name="dev-2"), (403, "certificate_not_registered")),
        (provisioning.peer, (403, "certificate_not_of_device")),
    ):
        assert code(DirectLink(gateway, peer).ask(method, path, b"{}")) == wanted


FORGED = {
    "x-ats-device-uuid": "dev-2",
    "x-ats-namespace": "other",
    "x-ssl-client-cn": "dev-2",
    "x-ssl-client-s-dn": "CN=dev-2",
    "x-ssl-client-verify": "SUCCESS",
    "x-client-cert": "dev-2",
    "x-forwarded-client-cert": "Subject=CN=dev-2",
    "x-forwarded-for": "127.0.0.1",
    "ostrya.peer": "dev-2",
    "x-original-url": "/director/targets.json?device=dev-2",
}


@pytest.mark.parametrize("name", FORGED)
def test_no_header_names_a_device(services, gateway, device, name):
    other = direct_device(services, gateway, "dev-2")
    headers = {name: FORGED[name]}
    reply = device.link.ask("GET", "/director/targets.json", headers=headers)
    assert reply.json()["signed"]["custom"]["vehicleId"] == "dev-1"
    reply = device.link.ask("PUT", "/director/manifest", other.manifest(), headers)
    assert reply.status == 400
    reply = DirectLink(gateway).ask("GET", "/director/targets.json", headers=headers)
    assert code(reply) == (401, "certificate_missing")


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_both_spellings(device, firmware, method, path):
    bodies = {"/events": b"[]", "/core/installed": b"[]", "/system_info/config": b""}
    body = bodies.get(path, b"{}")
    if path == "/director/manifest":
        body = device.manifest()
    if path == "/director/ecus":
        value = {"primary_ecu_serial": "p", "ecus": []}
        body = json.dumps(value).encode()
    answers = []
    for slash in ("", "/"):
        if path == "/director/manifest":
            body = device.manifest()
        answers.append(device.link.ask(method, path + slash, body).status)
    assert answers[0] == answers[1]
    assert answers[0] == (400 if path == "/director/ecus" else 200)
    known = {"GET": "DELETE", "PUT": "GET", "POST": "GET"}[method]
    assert device.link.ask(known, path).status == 405


def test_a_device_registers_itself(provisioning, gateway, services, tmp_path):
    body = json.dumps({"deviceId": "new", "ttl": "36000"}).encode()
    reply = provisioning.ask("POST", "/devices/", body)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/octet-stream")
    unpack(reply.body, tmp_path, "new")
    assert code(provisioning.ask("POST", "/devices", body)) == (409, "device_already_registered")
    assert services.fleet.database.write(lambda c: rows.find_device(c, "new"))


def test_a_device_registers_nobody(device):
    body = json.dumps({"deviceId": "new", "ttl": "36000"}).encode()
    assert code(device.link.ask("POST", "/devices", body)) == (
        403, "certificate_not_for_provisioning",
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"deviceId": 1}', b'{"deviceId": "a/b"}', b'{"deviceId": "a", "ttl": "x"}',
        b'{"deviceId": "a", "ttl": true}', b'{"deviceId": "a", "ttl": []}', b"\xff\xfe",
        b'{"deviceId": "a", "deviceId": "b"}',
    ],
)  # fmt: skip
def test_what_is_no_device(provisioning, body):
    assert provisioning.ask("POST", "/devices", body).status == 400


def test_metadata_of_another_device_is_never_read(services, gateway, device):
    other = direct_device(services, gateway, "dev-2")
    for one in (device, other):
        for path in ("targets.json", "../dev-2/targets.json", "dev-2/targets.json"):
            reply = one.link.ask("GET", f"/director/{path}")
            if reply.status == 200:
                assert reply.json()["signed"]["custom"]["vehicleId"] == one.name


def test_the_whole_way_of_an_update(device, firmware, services, change, clock, look):
    from ostrya.fleet.db import updates
    from ostrya.fleet.domain import assignments

    assert device.send_manifest().status == 200
    assert device.cycle(clock.now).agreed == ()
    change(
        assignments.assign, assignments.Wanted(device.name, firmware),
        services.images.all_images(), 5,
    )  # fmt: skip
    found = device.cycle(clock.now)
    (one,) = found.agreed
    data = device.link.ask("GET", f"/repo/targets/{one.name}").body
    assert hashlib.sha256(data).hexdigest() == one.hashes["sha256"]
    device.install(found.agreed)
    device.send_manifest(device.report(device.primary, found.correlation_id, "OK", success=True))
    assert [row.state for row in look(lambda c: updates.list_assignments(c, {}))] == ["done"]
    assert device.cycle(clock.now).agreed == ()


def test_metadata_is_fresh_whenever_it_is_asked_for(device, clock):
    for days in (0, 1, 3, 40, 300):
        clock.forward(days=days)
        assert device.cycle(clock.now).agreed == ()


def test_the_image_repository_is_signed_anew_on_reading(services, device, clock):
    before = device.link.ask("GET", "/repo/timestamp.json").json()["signed"]["version"]
    clock.forward(hours=23, minutes=30)
    after = device.link.ask("GET", "/repo/timestamp.json").json()["signed"]["version"]
    assert after == before + 1


def test_where_it_cannot_be_signed_what_is_there_is_served(services, device, clock, caplog):
    folder = services.settings.path("image", "keys")
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    before = device.link.ask("GET", "/repo/timestamp.json").body
    clock.forward(days=2)
    assert device.link.ask("GET", "/repo/timestamp.json").body == before
    assert "was not signed anew" in caplog.text


@pytest.mark.parametrize(
    "path",
    [
        "/repo/../fleet.toml", "/repo/targets/../../keys", "/repo/targets/", "/repo/",
        "/repo/delegations/../root.json", "/repo/delegations/.json", "/repo/x.json", "/repo/targets/x",
        "/director/0.root.json", "/director/2.root.json", "/director/99999999999.root.json",
        "/director/x", "/director/", "/treehub/../fleet.toml", "/treehub/state", "/", "/x",
        "/api/v1/devices", "/admin", "/repo/%2e%2e/author.json", "/repo/targets/%00",
        "/repo/a%00.json", "/treehub/objects/ab/%00",
    ],
)  # fmt: skip
def test_nothing_else_is_there(device, path):
    reply = device.link.ask("GET", path)
    assert reply.status == 404
    assert set(reply.json()) == {"code", "description", "errorId"}


def test_devices_only_read_the_treehub(services, device):
    data = b"x"
    path = f"/treehub/objects/{checksum_of(data)[:2]}/{checksum_of(data)[2:]}.dirmeta"
    for method, where in (("POST", path), ("PUT", path), ("POST", "/treehub/refs/heads/main")):
        assert device.link.ask(method, where, data).status == 405
    assert device.link.ask("GET", "/treehub/config").body.startswith(b"[core]")
    assert device.link.ask("HEAD", "/treehub/config").body == b""


def test_bodies_that_are_too_large(services, device):
    limit = services.settings.limits.manifest_bytes
    reply = device.link.ask("PUT", "/director/manifest", pieces=[b"x" * 65536] * 20)
    assert (limit, reply.status) == (1024 * 1024, 413)


def test_a_device_that_was_removed(services, device, change):
    change(devices.remove, device.name, 5)
    assert code(device.send_manifest()) == (403, "certificate_revoked")


def test_what_is_published_in_between_is_no_attack(
    services, device, change, firmware, tmp_path, clock
):
    """A device that has its timestamp reads on as it began, whatever is assigned or published."""
    from ostrya.fleet.domain import assignments

    images = services.images.all_images()
    change(assignments.assign, assignments.Wanted(device.name, firmware), images, 5)
    fetch = device.link.ask

    def disturbed(method, path, *more):
        reply = fetch(method, path, *more)
        if path == "/director/timestamp.json":
            change(assignments.cancel, device.name, (), 6)
        if path == "/repo/timestamp.json":
            publish_file(services, tmp_path, "fw-2")
        return reply

    device.link.ask = disturbed
    assert [one.name for one in device.cycle(clock.now).agreed] == [firmware]
    device.link.ask = fetch
    assert device.cycle(clock.now).agreed == ()
