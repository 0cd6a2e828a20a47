# SPDX-License-Identifier: Apache-2.0
"""A commit on its way: pushed to the server's treehub, assigned, pulled by a device; and kills."""

from __future__ import annotations

import hashlib
import json
import signal
import zipfile

import pytest

from support import trees
from support.commands import OURS
from support.fleet_device import Ecu, Link, unpack
from support.fleet_server import make, start


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("server") / "fleet")
    with start(folder) as running:
        yield running


@pytest.fixture
def credentials(server, tmp_path):
    OURS("fleet", "credentials", f"--dir={server.folder}", str(tmp_path / "c.zip"))
    return tmp_path / "c.zip"


@pytest.fixture
def repo(tmp_path):
    path = tmp_path / "repo"
    OURS("init", f"--repo={path}", "--mode=archive")
    trees.write(tmp_path / "tree/usr/bin/tool", b"#!/bin/sh\n")
    trees.write(tmp_path / "tree/usr/share/large", bytes(range(256)) * 8192)
    OURS("commit", f"--repo={path}", "--branch=os", f"--tree=dir={tmp_path / 'tree'}")
    return path


def test_a_commit_from_a_tool_to_a_device(server, credentials, repo, tmp_path):
    url = f"{server.addresses['tools']}/treehub"
    done = OURS("push", f"--repo={repo}", url, "os", f"--credentials={credentials}")
    assert "content objects sent" in done
    assert OURS("push", f"--repo={repo}", url, "os", f"--credentials={credentials}")
    checksum = OURS("rev-parse", f"--repo={repo}", "os").strip()
    folder = f"--dir={server.folder}"
    OURS("fleet", "targets", "add", folder, "os-1", f"--commit={checksum}", "--hardware-id=board")
    device = server.device("car-1", tmp_path)
    OURS("fleet", "assign", folder, "car-1", "os-1")
    (agreed,) = device.cycle().agreed
    assert (agreed.is_ostree, agreed.hashes["sha256"]) == (True, checksum)
    device.link.close()
    OURS("init", f"--repo={tmp_path / 'device'}", "--mode=bare-user-only")
    OURS(
        "remote", "add", f"--repo={tmp_path / 'device'}", "fleet", f"{server.url}/treehub",
        "--no-gpg-verify",
        f"--set=tls-client-cert-path={tmp_path / 'car-1.pem'}",
        f"--set=tls-client-key-path={tmp_path / 'car-1.key'}",
        f"--set=tls-ca-path={server.ca}",
    )  # fmt: skip
    OURS("pull", f"--repo={tmp_path / 'device'}", "fleet", checksum)
    assert OURS("fsck", f"--repo={tmp_path / 'device'}")


def test_deltas_for_devices_that_pull_by_commit(server, credentials, repo, tmp_path):
    url = f"{server.addresses['tools']}/treehub"
    OURS("push", f"--repo={repo}", url, "os", f"--credentials={credentials}", "--force")
    first = OURS("rev-parse", f"--repo={repo}", "os").strip()
    trees.write(tmp_path / "tree/usr/share/large", bytes(reversed(range(256))) * 8192)
    OURS("commit", f"--repo={repo}", "--branch=os", f"--tree=dir={tmp_path / 'tree'}")
    second = OURS("rev-parse", f"--repo={repo}", "os").strip()
    OURS("static-delta", "generate", f"--repo={repo}", f"--from={first}", f"--to={second}")
    words = ("push", f"--repo={repo}", url, "os", f"--credentials={credentials}", "--deltas")
    assert json.loads(OURS(*words, "--json"))["deltas"] == 1
    assert json.loads(OURS(*words, "--json"))["deltas"] == 0
    device = server.device("car-delta", tmp_path)
    device.link.close()
    here = f"--repo={tmp_path / 'device'}"
    OURS("init", here, "--mode=bare-user-only")
    OURS(
        "remote", "add", here, "fleet", f"{server.url}/treehub", "--no-gpg-verify",
        f"--set=tls-client-cert-path={tmp_path / 'car-delta.pem'}",
        f"--set=tls-client-key-path={tmp_path / 'car-delta.key'}",
        f"--set=tls-ca-path={server.ca}",
    )  # fmt: skip
    OURS("pull", here, "fleet", first, "--disable-static-deltas")
    OURS("pull", here, "fleet", second, "--require-static-deltas")
    assert OURS("fsck", here)


@pytest.mark.parametrize("way", ["basic", "oauth2", "certificate"])
def test_every_way_to_say_who_we_are(server, repo, tmp_path, way):
    path = tmp_path / "c.zip"
    folder = f"--dir={server.folder}"
    OURS("fleet", "credentials", folder, str(path), f"--auth={way}", f"--name=by-{way}")
    # The address is in it as well.
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    url = f"{server.addresses['tools']}/treehub"
    known = json.loads(members["treehub.json"])
    if way == "oauth2":
        # The server listens at a port of its own choice here.
        known["oauth2"]["server"] = f"{server.addresses['tools']}/oauth2"
    members["treehub.json"] = json.dumps(known).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert OURS("push", f"--repo={repo}", url, "os", f"--credentials={path}", "--force")
    OURS("fleet", "token", "revoke", folder, f"by-{way}")
    words = OURS.fails("push", f"--repo={repo}", url, "os", f"--credentials={path}", "--recheck")
    assert "401" in words or "403" in words


def test_what_a_tool_was_given_is_withdrawn(server, credentials, repo):
    url = f"{server.addresses['tools']}/treehub"
    OURS("fleet", "token", "revoke", f"--dir={server.folder}", "tool")
    words = OURS.fails("push", f"--repo={repo}", url, "os", f"--credentials={credentials}")
    assert "answers 401" in words


def test_a_device_pushes_nothing(server, credentials, repo, tmp_path):
    device = server.device("car-2", tmp_path)
    tools = server.tools(tmp_path / "car-2.pem", tmp_path / "car-2.key")
    for link, status in ((device.link, 405), (tools, 403)):
        assert link.ask("POST", "/treehub/refs/heads/os", b"0" * 64).status == status
        link.close()


def test_a_server_that_is_killed_forgets_nothing_that_it_answered(tmp_path):
    folder = make(tmp_path / "fleet")
    with start(folder) as server:
        device = server.device("car-1", tmp_path, [Ecu("p", "board")])
        device.send_manifest()
        data = device.manifest()
        assert device.link.ask("PUT", "/director/manifest", data).status == 200
        events = [{"id": "1", "eventType": {"id": "A", "version": 0}, "event": {}}]
        assert device.link.ask("POST", "/events", json.dumps(events).encode()).status == 200
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        device.link.close()
    with start(folder) as server:
        link = Link(server.url, device.link.context)
        reply = link.ask("PUT", "/director/manifest", data)
        assert (reply.status, reply.json()["code"]) == (400, "report_counter_reused")
        link.close()
    found = json.loads(OURS("fleet", "events", f"--dir={folder}", "--json", "--type=A"))
    assert [one["uuid"] for one in found["events"]] == ["1"]


def test_the_shared_credentials_register_a_device(server, credentials, tmp_path):
    with zipfile.ZipFile(credentials) as archive:
        p12 = archive.read("autoprov_credentials.p12")
        root = archive.read("root.json")
        assert archive.read("autoprov.url").startswith(b"https://localhost:")
    certificate, key = unpack(p12, tmp_path, "shared")
    from support.fleet_device import provision, tls

    link = Link(server.url, tls(server.ca, certificate, key))
    device = provision(link, "car-3", tmp_path, server.ca)
    link.close()
    assert device.register().status == 201
    found = device.link.ask("GET", "/repo/root.json").body
    assert hashlib.sha256(found).digest() == hashlib.sha256(root).digest()
    device.link.close()
