# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json

import pytest

from ostrya.fleet.api.tools import CHECKSUM, read_pushed
from ostrya.fleet.errors import BadRequest, NotFound
from ostrya.formats.checksum import checksum_of
from ostrya.uptane.author import images, publish, workplace
from ostrya.uptane.author.images import About

REPO = "/api/v1/user_repo"


@pytest.fixture
def theirs(services, tmp_path, clock):
    """A copy of the Image repository with all its keys, somewhere else."""
    import shutil

    shutil.copytree(services.settings.path("image"), tmp_path / "theirs")
    return workplace.open_workplace(str(tmp_path / "theirs"))


def signed(work, clock, name="os-1"):
    images.add_commit(work, name, checksum_of(name.encode()), About(("board",)), clock.now)
    assert not publish.publish(work, clock.now).missing
    return work.published("targets").to_bytes()


def test_targets_come_after_those_that_are_there(services, owner, theirs, clock):
    there = owner.ask("GET", f"{REPO}/targets.json")
    checksum = there.headers[CHECKSUM]
    assert checksum == hashlib.sha256(there.body).hexdigest()
    data = signed(theirs, clock)
    reply = owner.ask("PUT", f"{REPO}/targets", data, {CHECKSUM: "0" * 64})
    assert (reply.status, reply.json()["code"]) == (412, "role_checksum_mismatch")
    reply = owner.ask("PUT", f"{REPO}/targets", data, {CHECKSUM: checksum})
    assert reply.status == 200
    assert reply.headers[CHECKSUM] == hashlib.sha256(data).hexdigest()
    assert list(services.images.all_images()) == ["os-1"]


def test_all_at_once(services, owner, theirs, clock):
    value = {"roots": [], "targets": json.loads(signed(theirs, clock)), "delegations": {}}
    assert owner.ask("POST", f"{REPO}/publish", json.dumps(value).encode()).status == 200
    assert list(services.images.all_images()) == ["os-1"]


def test_a_root_that_is_there(owner):
    root = owner.ask("GET", f"{REPO}/1.root.json").body
    assert owner.ask("PUT", f"{REPO}/root", root).json() == {"files": []}
    assert owner.ask("PUT", f"{REPO}/root", b"{}").status == 400


def test_images_that_are_files(services, owner, device):
    reply = owner.ask("PUT", f"{REPO}/targets/a/fw.bin", pieces=[b"12", b"345"])
    assert reply.json() == {
        "name": "a/fw.bin", "length": 5, "sha256": hashlib.sha256(b"12345").hexdigest(),
    }  # fmt: skip
    assert owner.ask("HEAD", f"{REPO}/targets/a/fw.bin").headers["content-length"] == "5"
    assert services.images.all_images() == {}
    query = "?hardwareIds=board,other&version=2&name=fw"
    assert owner.ask("PUT", f"{REPO}/targets/fw-2{query}", b"new").status == 200
    image = services.images.all_images()["fw-2"]
    assert image.custom["hardwareIds"] == ["board", "other"]
    assert device.link.ask("GET", "/repo/targets/fw-2").body == b"new"
    reply = owner.ask("PUT", f"{REPO}/targets/fw-2", b"other")
    assert (reply.status, reply.json()["code"]) == (409, "target_exists")
    assert device.link.ask("GET", "/repo/targets/fw-2").body == b"new"
    assert owner.ask("PUT", f"{REPO}/targets/..%2fx", b"x").status == 404
    assert owner.ask("DELETE", f"{REPO}/targets/fw-2").status == 405


def test_objects_raw_and_in_a_form(owner):
    data = bytes.fromhex("00000000" * 2 + "0041ed" + "00").ljust(12, b"\0")
    from ostrya.formats.dirmeta import DirMeta

    data = DirMeta(0, 0, 0o40755).encode()
    checksum = checksum_of(data)
    path = f"/treehub/objects/{checksum[:2]}/{checksum[2:]}.dirmeta"
    assert owner.ask("HEAD", path).status == 404
    form = b'--B\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + data + b"\r\n--B--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=B"}
    assert owner.ask("POST", f"{path}?size={len(data)}", form, headers).status == 204
    assert owner.ask("GET", path).body == data
    assert owner.ask("HEAD", path).status == 200
    assert owner.ask("POST", path, data).status == 409
    assert owner.ask("PUT", path, data).status == 204
    assert owner.ask("PUT", path, b"other").status in {400, 204}
    assert owner.ask("GET", path).body == data
    assert owner.ask("POST", path.replace(checksum[2:4], "zz"), data).status == 404
    assert owner.ask("DELETE", path).status == 405


def test_refs_deltas_and_manifests(owner):
    assert owner.ask("POST", "/treehub/refs/heads/main", b"0" * 64).status == 412
    assert owner.ask("GET", "/treehub/refs/heads/main").status == 404
    assert owner.ask("POST", "/treehub/deltas/Ab/Cd/0", b"x").status == 204
    assert owner.ask("GET", "/treehub/deltas/Ab/Cd/0").body == b"x"
    path = f"/treehub/manifests/{'a' * 64}"
    assert owner.ask("GET", path).status == 404
    assert owner.ask("PUT", path, b'{"default": {}}').status == 204
    assert owner.ask("GET", path).body == b'{"default": {}}'
    assert owner.ask("PUT", path, b"[]").status == 400


def test_nothing_else_is_there(owner):
    for path in (f"{REPO}/x", f"{REPO}/../../fleet.toml", f"{REPO}/targets/", "/treehub/state"):
        assert owner.ask("GET", path).status == 404
    assert owner.ask("PUT", f"{REPO}/x", b"{}").status == 404
    assert owner.ask("DELETE", f"{REPO}/targets.json").status == 405
    assert owner.ask("PUT", "/openapi.json").status == 405


def test_what_is_pushed_where():
    assert read_pushed("root.json", b"r", 9, "").roots == (b"r",)
    assert read_pushed("delegations/a.json", b"d", 9, "").delegations == {"a": b"d"}
    assert read_pushed("targets.json", b"t", 9, "c").expected == "c"
    for body in (b"[]", b'{"roots": 1}', b'{"delegations": []}'):
        with pytest.raises(BadRequest):
            read_pushed("publish", body, 99, "")
    with pytest.raises(NotFound):
        read_pushed("delegations/a/b.json", b"{}", 9, "")
