# SPDX-License-Identifier: Apache-2.0
"""Our client against our server, over mutual TLS: registered, updated, refused, withdrawn."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ostrya.fleet.db import log, updates
from ostrya.fleet.domain import assignments, devices
from ostrya.fleet.domain.services import open_services
from ostrya.uptane.author.images import About
from ostrya.uptane.client.binary_installer import BinaryInstaller, ImageFiles
from ostrya.uptane.client.config import (
    BootloaderSection,
    ClientConfig,
    ImportSection,
    KeyType,
    NetworkSection,
    PacmanSection,
    ProvisionSection,
    StorageSection,
    UptaneSection,
)
from ostrya.uptane.client.consent import Consent
from ostrya.uptane.client.primary import End, Mode, Primary
from ostrya.uptane.client.provisioning import provision
from ostrya.uptane.client.restart import Restart, RestartKind
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.client.vehicle import Identity, Parts, Rules, Surroundings
from ostrya.uptane.errors import RegisteredTwice
from support.fleet_server import make, start
from support.ota_world import send_events


def now() -> datetime:
    return datetime.now(UTC)


class Car:
    """A device of ours: its folders and its client."""

    def __init__(self, folder: Path, credentials: Path, name: str, serial: str = "") -> None:
        self.folder = folder
        folder.mkdir()
        self.config = ClientConfig(
            network=NetworkSection(request_timeout_sec=20, retries=0),
            provision=ProvisionSection(
                provision_path=str(credentials),
                primary_ecu_serial=serial,
                primary_ecu_hardware_id="board",
                device_id=name,
            ),
            uptane=UptaneSection(key_type=KeyType.ED25519),
            pacman=PacmanSection(images_path=str(folder / "images")),
            storage=StorageSection(path=str(folder / "sota")),
            import_=ImportSection(base_path=str(folder / "import")),
        )

    def cycle(self):
        with open_storage(str(self.folder / "sota/sql.db")) as storage:
            found = provision(self.config, storage, (), now())
            try:
                files = ImageFiles(str(self.folder / "images"), 0)
                identity = found.identity
                sentinel = BootloaderSection(
                    reboot_sentinel_dir=str(self.folder / "run"), reboot_command=""
                )
                parts = Parts(
                    storage,
                    found.link,
                    Identity(
                        identity.serial, identity.hardware_id, identity.device_id,
                        identity.key_id, identity.secret,
                    ),
                    BinaryInstaller(files),
                    files,
                    Restart(storage, sentinel, RestartKind.EMULATED),
                    Consent(storage, required=False),
                    (),
                    Rules(),
                    Surroundings(
                        now, datetime(2020, 1, 1, tzinfo=UTC),
                        send_events=lambda: send_events(storage, found.link),
                    ),
                )  # fmt: skip
                return Primary(parts).cycle(Mode.ONCE)
            finally:
                found.link.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("server") / "fleet")
    with start(folder) as running:
        yield running


@pytest.fixture(scope="module")
def services(server):
    """The same server, beside the process that serves it."""
    with open_services(str(server.folder)) as found:
        yield found


def zip_of(server, path: Path) -> Path:
    """The credentials of the server, with the port that it has today."""
    from ostrya.uptane.author.credentials import Credentials, read_credentials, write_credentials

    argv = [
        sys.executable, "-m", "ostrya", "fleet", "credentials", f"--dir={server.folder}", str(path),
    ]  # fmt: skip
    subprocess.run(argv, check=True, capture_output=True)
    found = read_credentials(str(path))
    members = {**found.members, "autoprov.url": server.url.encode()}
    write_credentials(str(path), Credentials(members))
    return path


@pytest.fixture
def car(server, tmp_path, request):
    return Car(
        tmp_path / "car", zip_of(server, tmp_path / "c.zip"), f"car-{request.node.name[5:20]}"
    )


def read(services, query, *arguments):
    with services.fleet.database.read() as connection:
        return query(connection, *arguments)


def assign(services, car, folder: Path, name: str, content: bytes):
    (folder / name).write_bytes(content)
    services.images.add(name, str(folder / name), About(("board",)), now(), is_commit=False)
    wanted = assignments.Wanted(car.config.provision.device_id, name)
    images = services.images.all_images()
    return services.fleet.database.write(lambda c: assignments.assign(c, wanted, images, 5))


def test_an_update_is_installed_and_reported(services, car, tmp_path):
    name = car.config.provision.device_id
    first = car.cycle()
    assert (first.end, first.words) == (End.UP_TO_DATE, "")
    (one,) = assign(services, car, tmp_path, "fw-good", b"firmware" * 1000)
    assert car.cycle().end is End.INSTALLED
    found = read(services, updates.list_assignments, {"device_id": name})
    assert [(row.state, row.code) for row in found] == [("done", "OK")]
    kinds = [row.type for row in read(services, log.list_events, {"device_id": name})]
    assert {"EcuDownloadCompleted", "EcuInstallationCompleted"} <= set(kinds)
    ecu = read(services, devices.details, name).overview.ecus[0]
    assert (ecu.image, ecu.image_sha256) == (one.target, one.sha256)
    assert car.cycle().end is End.UP_TO_DATE


def test_a_forged_image_is_refused_and_told(services, server, car, tmp_path):
    name = car.config.provision.device_id
    car.cycle()
    assign(services, car, tmp_path, "fw-forged", b"firmware" * 1000)
    path = services.images.image_path("fw-forged")
    Path(path).write_bytes(b"malware!" * 1000)
    assert car.cycle().end is End.FAILED
    (row,) = read(services, updates.list_assignments, {"device_id": name})
    assert row.state == "failed"
    assert row.reason
    assert read(services, devices.details, name).overview.ecus[0].image != "fw-forged"


def test_a_device_that_is_withdrawn(services, car):
    name = car.config.provision.device_id
    car.cycle()
    services.fleet.database.write(lambda c: devices.revoke(c, name, "stolen", 5))
    result = car.cycle()
    assert result.end is End.FAILED
    assert "revoked" in str(result.error) or "refused" in str(result.error)
    car.cycle()
    (told,) = read(services, log.list_events, {"device_id": name, "type": "CertificateRefused"})
    assert "stolen" in told.body


def test_a_name_that_is_taken_is_told(services, server, car):
    name = car.config.provision.device_id
    car.cycle()
    link = server.provisioning()
    for _ in range(2):
        assert link.ask("POST", "/devices", f'{{"deviceId": "{name}"}}'.encode()).status == 409
    link.close()
    (told,) = read(services, log.list_events, {"device_id": name, "type": "RegistrationRefused"})
    assert "already" in told.body


def test_an_ecu_of_another_device_is_told(services, server, tmp_path):
    for name in ("first", "second"):
        car = Car(tmp_path / name, zip_of(server, tmp_path / f"{name}.zip"), name, "the-same")
        if name == "first":
            assert car.cycle().end is End.UP_TO_DATE
            continue
        for _ in range(2):
            with pytest.raises(RegisteredTwice, match="the-same"):
                car.cycle()
    (told,) = read(services, log.list_events, {"device_id": "second"})
    assert told.type == "RegistrationRefused"
    assert "the ECU the-same is registered for another device" in told.body
    assert read(services, log.list_events, {"device_id": "first", "type": told.type}) == ()


def test_the_shared_certificate_is_used_once(server, car, tmp_path):
    car.cycle()
    from ostrya.uptane.author.credentials import read_credentials

    assert (
        "autoprov_credentials.p12"
        not in read_credentials(car.config.provision.provision_path).members
    )
    assert car.cycle().end is End.UP_TO_DATE
