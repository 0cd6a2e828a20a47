# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import socket
from contextlib import ExitStack, suppress

import pytest

from ostrya.uptane.client.installer import Outcome, Stage
from ostrya.uptane.client.secondaries import daemon
from ostrya.uptane.client.secondaries.daemon import EcuService
from ostrya.uptane.client.secondaries.link import Connection
from ostrya.uptane.client.secondaries.messages import (
    Code,
    DownloadOstreeRevReq,
    GetInfoReq,
    InstallReq,
    InstallResp,
    InstallResp2,
    KeyKind,
    MetaFile,
    PutMetaReq,
    PutMetaReq2,
    PutMetaResp,
    PutRootReq,
    RootVerReq,
    SendFirmwareReq,
    SendFirmwareResp,
    UploadDataReq,
    VersionReq,
    VersionResp,
    encode,
)
from ostrya.uptane.client.secondaries.zip_credentials import pack_credentials
from ostrya.uptane.client.server import Treehub
from ostrya.uptane.steps import Repository
from support.ota_ecus import FakeEcu, add_ecu
from support.ota_second import EcuThread, make_ecu
from support.ota_world import make_device
from support.uptane_world import make_repo


class Pulls:
    """Firmware that is pulled."""

    def __init__(self):
        self.pulled = []
        self.outcome = Outcome(Stage.APPLIED, words="restart")

    def running(self, log):
        return None

    def fetch(self, image, source):
        self.pulled.append((image.name, source.treehub().url, os.listdir(self.folder)))

    def install(self, target):
        return self.outcome


@pytest.fixture
def service(tmp_path):
    with make_ecu(tmp_path) as ecu:
        yield EcuService(ecu, str(tmp_path))


def test_who_it_is(service):
    found = service.answer(GetInfoReq())
    assert (found.serial, found.hardware_id, found.key_kind) == ("ecu-2", "sensor", KeyKind.ED25519)
    assert service.answer(VersionReq(9)) == VersionResp(2)


def test_roots(service):
    repo = make_repo("Director", 10)
    assert service.answer(RootVerReq(0)).version == 0
    assert service.answer(RootVerReq(7)).version == -1
    assert service.answer(PutRootReq(0, repo.files["1.root.json"])).result == Code.OK
    assert service.answer(PutRootReq(0, repo.write_root())).result == Code.OK
    assert service.answer(RootVerReq(0)).version == 2
    for wrong in (
        PutRootReq(0, b"{}"),
        PutRootReq(5, b"{}"),
        PutRootReq(0, repo.files["1.root.json"]),
    ):
        found = service.answer(wrong)
        assert found.result == Code.VERIFICATION_FAILED
        assert found.description


def test_two_files_for_one_role(service):
    twice = (MetaFile("root", b"1"), MetaFile("root", b"2"))
    found = service.answer(PutMetaReq2((), twice))
    assert found.description == b"there are two files for root"


def test_an_image_that_nobody_verified(service):
    found = service.answer(UploadDataReq(b"x"))
    assert found.result == Code.DOWNLOAD_FAILED
    assert b"nothing is assigned" in found.description
    assert service.answer(InstallReq(b"x")).result == Code.INSTALL_FAILED


def test_what_is_not_known_has_no_answer(service):
    assert service.answer(InstallResp(0)) is None


def test_a_commit_is_pulled_with_what_is_lent_and_that_goes_again(tmp_path):
    firmware = Pulls()
    firmware.folder = str(tmp_path / "lent")
    with make_ecu(tmp_path, firmware=firmware) as ecu:
        ecu._storage.set_fact(
            "assigned",
            b'{"target": {"serial": "ecu-2", "name": "os", "length": 0, "hashes": {"sha256": "aa"},'
            b' "release_counter": null, "correlation_id": ""}, "is_ostree": true, "uri": ""}',
        )
        service = EcuService(ecu, str(tmp_path))
        data = pack_credentials(Treehub("https://hub", "", "", ""))
        assert service.answer(DownloadOstreeRevReq(data)).result == Code.OK
        assert firmware.pulled[0][:2] == ("os", "https://hub")
        assert "pkey.pem" in firmware.pulled[0][2]
        assert not (tmp_path / "lent").exists()
        assert service.answer(DownloadOstreeRevReq(b"no zip")).result == Code.DOWNLOAD_FAILED
        assert service.answer(InstallReq(b"os")) == InstallResp2(Code.NEED_COMPLETION, b"restart")
        assert service.needs_restart


def old_metadata(world) -> PutMetaReq:
    """What a Primary of version 1 sends."""

    def newest(repo, role: str) -> bytes:
        found = [
            one for one in repo.files if one == f"{role}.json" or one.endswith(f".{role}.json")
        ]
        return repo.files[
            max(found, key=lambda name: int(name.split(".")[0]) if "." in name[:-5] else 0)
        ]

    image, director = world.image, world.director
    return PutMetaReq(
        tuple(newest(image, role) for role in ("root", "timestamp", "snapshot", "targets")),
        tuple(newest(director, role) for role in ("root", "targets")),
    )


@pytest.fixture
def vehicle(tmp_path):
    """A Director that wants an image on this ECU."""
    found = make_device(tmp_path / "primary")
    add_ecu(found, FakeEcu())
    return found.server.world


def test_a_primary_of_the_first_version(tmp_path, vehicle):
    with make_ecu(tmp_path) as ecu:
        service = EcuService(ecu, str(tmp_path))
        assert service.answer(VersionReq(1)) == VersionResp(1)
        assert service.answer(old_metadata(vehicle)) == PutMetaResp(0)
        assert service.answer(SendFirmwareReq(b"another image")) == SendFirmwareResp(0)
        assert service.answer(InstallReq(b"sensor")) == InstallResp(Code.VERIFICATION_FAILED)
        assert service.answer(SendFirmwareReq(b"sensor firmware")) == SendFirmwareResp(0)
        assert service.answer(InstallReq(b"sensor")) == InstallResp(Code.OK)
        assert (tmp_path / "firmware.bin").read_bytes() == b"sensor firmware"
        # A root that follows is taken from the metadata itself.
        vehicle.director.write_root()
        vehicle.publish()
        assert service.answer(old_metadata(vehicle)) == PutMetaResp(0)
        assert service.answer(RootVerReq(0)).version == 2


def test_forged_metadata_of_the_first_version(tmp_path, vehicle):
    with make_ecu(tmp_path) as ecu:
        service = EcuService(ecu, str(tmp_path))
        found = old_metadata(vehicle)
        for wrong in (
            found._replace(director=(found.director[0], b"{}")),
            found._replace(image=(b"[]", *found.image[1:])),
            found._replace(image=(b"no JSON", *found.image[1:])),
            PutMetaReq((b"", b"", b"", b""), (b"", b"")),
        ):
            assert service.answer(wrong) == PutMetaResp(1)
        assert service.answer(SendFirmwareReq(b"sensor firmware")) == SendFirmwareResp(1)
        assert service.answer(InstallReq(b"sensor")) == InstallResp(Code.INSTALL_FAILED)


@pytest.mark.parametrize(
    "data",
    [b"\xff" * 100, b"\x30\x84\x7f\xff\xff\xff", encode(InstallResp(0)), b"GET / HTTP/1.1\r\n\r\n"],
)
def test_garbage_is_hung_up_on_and_the_next_one_is_served(tmp_path, data):
    with EcuThread(tmp_path) as ecu:
        with socket.create_connection(("127.0.0.1", ecu.port), 10) as peer:
            peer.sendall(data)
            peer.settimeout(10)
            with suppress(ConnectionResetError):
                assert peer.recv(100) == b""
        with socket.create_connection(("127.0.0.1", ecu.port), 10) as peer:
            connection = Connection(peer)
            connection.send(VersionReq(2), 10)
            assert connection.receive(10) == VersionResp(2)
            connection.send(RootVerReq(Repository.DIRECTOR is None), 10)
            assert connection.receive(10).version == 0


def test_who_connects_and_says_nothing_keeps_nobody_away(tmp_path, monkeypatch):
    monkeypatch.setattr(daemon, "_FIRST_WORD_S", 0.2)
    with EcuThread(tmp_path) as ecu, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(socket.create_connection(("127.0.0.1", ecu.port), 10))
        with socket.create_connection(("127.0.0.1", ecu.port), 10) as peer:
            connection = Connection(peer)
            connection.send(VersionReq(2), 10)
            assert connection.receive(20) == VersionResp(2)
