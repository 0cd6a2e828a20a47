# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.uptane.client import installs, tls_files
from ostrya.uptane.client.adoption import ADOPTED, adopt_former_client, is_registered_already
from ostrya.uptane.client.config import BootloaderSection
from ostrya.uptane.client.event_queue import oldest_events
from ostrya.uptane.client.identity import DEVICE_ID, HARDWARE_ID, SERIAL, fact_text
from ostrya.uptane.client.installs import State, Target
from ostrya.uptane.client.primary_key import load_primary_key
from ostrya.uptane.client.provisioning import REGISTERED, provision
from ostrya.uptane.client.restart import APPLIED_IN_BOOT
from ostrya.uptane.client.trust_store import load_files, load_roots
from ostrya.uptane.steps import Repository
from support.aktualizr_database import (
    DIRECTOR,
    IMAGES,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    AktualizrDatabase,
)
from support.fleet_ca import FleetCa
from support.ota_device import NOW
from support.uptane_world import image, key, make_repo, make_world

ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64
EVENT = {"id": "e-1", "deviceTime": "2026-01-01T00:00:00Z", "event": {}, "eventType": {"id": "X"}}
PRIVATE = key(1).to_json()["keyval"]["private"]


@pytest.fixture
def config(device):
    """The settings that aktualizr had: nothing is to be imported."""
    found = device.device_config()
    sentinel = BootloaderSection(reboot_sentinel_dir=str(device.folder / "run"))
    nothing = found.import_._replace(base_path=str(device.folder / "none"))
    return found._replace(import_=nothing, bootloader=sentinel)


@pytest.fixture
def former(device, gateway):
    """What aktualizr left."""
    found = AktualizrDatabase(device.folder / "sota/sql.db")
    found.device("car-7", "ecu-7")
    found.put("primary_keys", unique_mark=0, private=PRIVATE, public=key(1).key.public)
    identity = gateway.ca.issue("car-7")
    found.put(
        "tls_creds", ca_cert=gateway.ca.pem, client_cert=identity.cert_pem,
        client_pkey=identity.key_pem,
    )  # fmt: skip
    for repo, name, first in ((DIRECTOR, "director", 10), (IMAGES, "repo", 20)):
        data = make_repo(name, first).files["1.root.json"]
        found.put("meta", meta=data, repo=repo, meta_type=ROOT, version=1)
    found.image("os-1", ONE)
    found.image(
        "os-2", TWO, is_current=1, correlation_id="urn:2", custom_meta='{"releaseCounter":4}'
    )
    found.put("ecu_report_counter", ecu_serial="ecu-7", counter=41)
    found.put("report_events", json_string=json.dumps(EVENT))
    return found


def states(storage, serial: str = "ecu-7") -> list[tuple[str, State]]:
    return [(one.target.name, one.state) for one in installs.install_log(storage, serial)]


def test_the_device_goes_on_as_it_was(former, config, kept, gateway):
    before = former.dump()
    assert adopt_former_client(config, kept)
    assert [fact_text(kept, one) for one in (DEVICE_ID, SERIAL, HARDWARE_ID)] == [
        "car-7", "ecu-7", "board",
    ]  # fmt: skip
    assert load_primary_key(config, kept).key == key(1).key
    assert states(kept) == [("os-1", State.EARLIER), ("os-2", State.CURRENT)]
    target = installs.install_log(kept, "ecu-7")[1].target
    assert target == Target("ecu-7", "os-2", 0, {"sha256": TWO}, 4, "urn:2")
    assert kept.next_counter("ecu-7") == 42
    assert [one for _, one in oldest_events(kept, 9)] == [EVENT]
    # Its reports go on from there too, should the device go back to it.
    before[before.index("ecu_report_counter ('ecu-7', 41)")] = "ecu_report_counter ('ecu-7', 42)"
    assert former.dump() == before
    assert not adopt_former_client(config, kept)


def test_the_server_sees_no_difference(former, config, kept, gateway):
    found = provision(config, kept, [], NOW)
    found.link.put_manifest(b"{}")
    found.link.close()
    assert found.identity.device_id == "car-7"
    assert [(one.method, one.path, one.client) for one in gateway.asked] == [
        ("PUT", "/director/manifest", "car-7")
    ]
    assert b"ecu-7" in kept.fact(REGISTERED)


def test_other_ecus_than_it_had_are_registered(former, config, kept, gateway):
    former.put("ecus", id=1, serial="door", hardware_id="door", is_primary=0)
    provision(config, kept, [], NOW).link.close()
    assert gateway.requests("/director/ecus")[0].client == "car-7"
    assert is_registered_already(kept, {"ecu-7", "door"})
    assert not is_registered_already(kept, {"ecu-7"})


def test_one_that_was_not_registered_is(former, config, kept, gateway):
    former.connection.execute("UPDATE device_info SET is_registered = 0")
    provision(config, kept, [], NOW).link.close()
    assert len(gateway.requests("/director/ecus")) == 1


def test_an_update_that_waits_for_a_restart_is_gone_on_with(former, config, kept, device):
    former.image("os-3", THREE, is_pending=1, was_installed=0, correlation_id="urn:3")
    adopt_former_client(config, kept)
    assert states(kept)[-1] == ("os-3", State.APPLIED)
    # The file is gone: there was a restart, and the new system has brought the new client.
    assert kept.fact(APPLIED_IN_BOOT) is None


def test_one_that_was_not_restarted_yet(former, config, kept, device):
    former.image("os-3", THREE, is_pending=1)
    (device.folder / "run").mkdir()
    (device.folder / "run/need_reboot").touch()
    adopt_former_client(config, kept)
    assert kept.fact(APPLIED_IN_BOOT)


def test_what_was_trusted_stays_and_nothing_older_is(device, kept, config, former):
    world = make_world()
    world.assign("fw", image(b"firmware"))
    former.connection.execute("DELETE FROM meta")
    for repo, which in ((DIRECTOR, Repository.DIRECTOR), (IMAGES, Repository.IMAGE)):
        files = world.repo(which).files
        former.put("meta", meta=files["1.root.json"], repo=repo, meta_type=ROOT, version=1)
        for kind, name in ((SNAPSHOT, "snapshot"), (TARGETS, "targets"), (TIMESTAMP, "timestamp")):
            found = sorted(one for one in files if one.endswith(f"{name}.json"))
            former.put("meta", meta=files[found[-1]], repo=repo, meta_type=kind, version=1)
    adopt_former_client(config, kept)
    for one in Repository:
        assert set(load_files(kept, one)) == {"root", "snapshot", "targets", "timestamp"}
        assert set(load_roots(kept, one)) == {1}


def test_what_is_no_good_is_left(former, config, kept):
    former.connection.execute("UPDATE primary_keys SET private = 'none'")
    former.connection.execute("UPDATE tls_creds SET client_cert = ?", (FleetCa().pem,))
    former.connection.execute("UPDATE meta SET meta = '{}' WHERE repo = ?", (IMAGES,))
    former.connection.execute("UPDATE installed_versions SET sha256 = 'x', hashes = ':;sha1:'")
    former.put("report_events", json_string="no JSON")
    assert adopt_former_client(config, kept)
    assert load_primary_key(config, kept) is None
    assert tls_files.tls_facts(kept) == {}
    assert load_files(kept, Repository.IMAGE) == {}
    assert set(load_files(kept, Repository.DIRECTOR)) == {"root"}
    assert states(kept) == []


def test_other_databases_are_none_of_its(config, storage):
    assert not adopt_former_client(config, storage)
    assert storage.fact(ADOPTED) is None


def test_one_that_never_came_so_far(config, device):
    AktualizrDatabase(device.folder / "sota/sql.db")
    with device.open() as kept:
        assert not adopt_former_client(config, kept)
        assert kept.fact(ADOPTED) == b"[]"
