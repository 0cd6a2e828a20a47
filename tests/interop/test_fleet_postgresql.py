# SPDX-License-Identifier: Apache-2.0
"""The server with its database in PostgreSQL: all of it by changing one address."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from ostrya.fleet.api.gateway import Gateway
from ostrya.fleet.api.tools import OwnersDoor, Tools
from ostrya.fleet.db import campaigns as campaign_rows
from ostrya.fleet.db import devices as rows
from ostrya.fleet.db import log, updates
from ostrya.fleet.db.schema import METADATA
from ostrya.fleet.domain import assignments, campaigns, devices, jobs, rollouts
from ostrya.fleet.domain.services import open_services
from ostrya.fleet.errors import Conflict
from support.fleet_device import Ecu
from support.fleet_server import Clock, DirectLink, direct_device, make, publish_file

VERSIONS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
OWNER = "postgres"


# One database, in which each goes on where the one before has ended.
pytestmark = pytest.mark.xdist_group("postgresql")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A PostgreSQL of our own, on a socket in a folder."""
    if not VERSIONS:
        pytest.skip("needs postgresql")
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root")
    programs = VERSIONS[-1].parent
    top = Path(subprocess.run(
        ["mktemp", "-d", "/tmp/fleet-pg-XXXXXX"], capture_output=True, text=True, check=True
    ).stdout.strip())  # fmt: skip
    shutil.chown(top, OWNER, OWNER)

    def run(*argv: object) -> None:
        words = [
            "setpriv",
            f"--reuid={OWNER}",
            f"--regid={OWNER}",
            "--init-groups",
            *map(str, argv),
        ]
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout

    run(programs / "initdb", "-D", top / "data", "-A", "trust", "-U", "fleet", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={top} -c fsync=off"
    run(programs / "pg_ctl", "-D", top / "data", "-o", options, "-l", top / "log", "-w", "start")
    try:
        yield f"postgresql+psycopg://fleet@/postgres?host={top}"
    finally:
        run(programs / "pg_ctl", "-D", top / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(top)


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def services(url, tmp_path_factory, clock):
    folder = make(tmp_path_factory.mktemp("fleet") / "fleet", clock.now)
    text = (folder / "fleet.toml").read_text()
    (folder / "fleet.toml").write_text(
        text.replace('url = ""\n\n[devices]', f'url = "{url}"\n\n[devices]')
    )
    os.unlink(folder / "fleet.db")
    with open_services(str(folder), linger_s=0.01, now=clock) as found:
        # The shared certificate was registered in the database that it was made with.
        assert not found.fleet.database.is_sqlite
        yield found


@pytest.fixture(scope="module")
def gateway(services):
    return Gateway(services)


def test_the_tables_are_those_of_this_program(services):
    with services.fleet.database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_whole_way_of_an_update(services, gateway, clock, tmp_path):
    device = direct_device(services, gateway, "car-1", [Ecu("p", "board"), Ecu("s", "sensor")])
    publish_file(services, tmp_path)
    for _ in range(3):
        assert device.send_manifest().status == 200
    assert device.link.ask("PUT", "/director/manifest", device.manifest()).status == 200
    assert device.cycle(clock.now).agreed == ()
    images = services.images.all_images()
    wanted = assignments.Wanted("car-1", "fw-1", correlation_id="urn:1")
    services.fleet.database.write(lambda c: assignments.assign(c, wanted, images, 5))
    with pytest.raises(Conflict):
        services.fleet.database.write(lambda c: assignments.assign(c, wanted, images, 5))
    clock.forward(minutes=1)
    import time

    time.sleep(0.15)
    found = device.cycle(clock.now)
    assert [one.name for one in found.agreed] == ["fw-1"]
    events = [
        {"id": "1", "eventType": {"id": "EcuInstallationStarted"}, "event": {"ecu": "p\0"}},
        {"id": "1", "eventType": {"id": "twice"}},
    ]
    for _ in range(2):
        assert device.link.ask("POST", "/events", json.dumps(events).encode()).status == 200
    device.link.ask("PUT", "/system_info", b'{"id": "\\u0000"}')
    device.install(found.agreed)
    device.send_manifest(device.report(device.primary, "urn:1", "OK", success=True))
    with services.fleet.database.read() as connection:
        (one,) = updates.list_assignments(connection, {})
        assert one.state == "done"
        assert len(log.list_events(connection, {})) == 1
        assert updates.count_assignments(connection) == {"done": 1}
        assert set(updates.last_assignments(connection, ["p"])) == {"p"}


def test_another_process_is_noticed(services, gateway, clock):
    device = direct_device(services, gateway, "car-2")
    assert device.send_manifest().status == 200
    with open_services(services.settings.folder, now=clock) as other:
        other.fleet.database.write(lambda c: devices.revoke(c, "car-2", "lost", 5))
    import time

    time.sleep(0.15)
    assert device.send_manifest().status == 403


def test_jobs_and_the_api(services, clock):
    clock.forward(hours=23)
    assert jobs.run_once(services) >= 1
    owner = DirectLink(OwnersDoor(Tools(services)))
    for path in (
        "devices",
        "events?last=3",
        "assignments",
        "groups",
        "campaigns",
        "status",
        "tokens",
    ):
        assert owner.ask("GET", f"/api/v1/{path}").status == 200
    assert owner.ask("POST", "/api/v1/groups", b'{"name": "g"}').status == 201
    assert owner.ask("PUT", "/api/v1/groups/g/devices/car-1").status == 200
    assert owner.ask("DELETE", "/api/v1/devices/car-1").status == 204
    assert owner.ask("GET", "/api/v1/groups/g").json()["devices"] == []
    with services.fleet.database.read() as connection:
        assert rows.find_device(connection, "car-1") is None
        assert log.list_events(connection, {"device_id": "car-1"}) == ()


def test_a_campaign_in_waves(services, gateway, tmp_path):
    images = services.images.all_images()
    names = [f"wave-{number}" for number in range(4)]
    for name in names:
        direct_device(services, gateway, name, [Ecu(f"{name}-ecu", "board")])
    offer = campaigns.Offer("spring", "fw-1", mode="assign", waves=("2",), failures="1")
    whom = campaigns.Whom(tuple(names))
    database = services.fleet.database
    found = database.write(lambda c: campaigns.begin(c, offer, whom, images, 5))
    assert jobs.run_often(services) == 2
    with database.read() as connection:
        first, *_ = campaign_rows.assignments_of_campaign(connection, found, ["pending"])

    def fail(connection):
        now = services.fleet.timestamp()
        assignments.move_on(connection, first, assignments.Progress("failed"), now)
        rollouts.settle_closed(connection, [first], now)

    database.write(fail)
    owner = DirectLink(OwnersDoor(Tools(services)))
    here = f"/api/v1/campaigns/{found.id}"
    shown = owner.ask("GET", here).json()
    assert (shown["state"], shown["reason"]) == ("paused", "1 of 2 devices of wave 1 failed")
    assert shown["progress"][0]["devices"] == {"failed": 1, "waiting": 1}
    assert owner.ask("POST", f"{here}/resume").status == 200
    assert jobs.run_often(services) == 1
    assert owner.ask("GET", f"{here}/devices?state=accepted").json()["devices"]
    assert owner.ask("POST", f"{here}/cancel").json()["state"] == "cancelled"
