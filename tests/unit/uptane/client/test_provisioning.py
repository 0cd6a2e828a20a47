# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane.client import provisioning as module
from ostrya.uptane.client import tls_files
from ostrya.uptane.client.identity import DEVICE_ID, EcuDescription
from ostrya.uptane.client.importing import has_root
from ostrya.uptane.client.installs import Target, begin_install
from ostrya.uptane.client.provisioning import (
    forget_identity,
    misconfigured_ecus,
    provision,
    registered_ecus,
)
from ostrya.uptane.client.state import Area, Condition, load_troubles
from ostrya.uptane.errors import (
    IdentityError,
    NotProvisioned,
    RegisteredTwice,
    ServerError,
    ServerRefused,
    StorageError,
)
from ostrya.uptane.metadata.keys import read_key
from ostrya.uptane.steps import Repository
from support.gateway import refusal
from support.hostile import Answer, Drop, always
from support.ota_device import NOW
from support.uptane_world import key

SENSOR = EcuDescription("sensor-1", "sensor", key(5).key)
CAMERA = EcuDescription("camera-1", "camera", key(6).key)


def run(config, kept, *secondaries, now=NOW, again=False):
    found = provision(config, kept, secondaries, now, again=again)
    found.link.close()
    return found


@pytest.fixture(params=["shared", "device"])
def config(request, device):
    device.write_zip()
    return device.shared_config() if request.param == "shared" else device.device_config()


def test_from_nothing_to_the_first_manifest(config, gateway, kept):
    found = provision(config, kept, (SENSOR,), NOW)
    found.link.put_manifest(b"{}")
    found.link.close()
    assert found.warnings == ()
    identity = found.identity
    told = gateway.fleet.ecus[identity.device_id]
    assert told["primary_ecu_serial"] == identity.serial
    assert [one["ecu_serial"] for one in told["ecus"]] == [identity.serial, "sensor-1"]
    assert [one["hardware_identifier"] for one in told["ecus"]] == ["board", "sensor"]
    first = told["ecus"][0]["clientKey"]
    assert set(first) == {"keytype", "keyval"}
    assert read_key(first, "it") == identity.secret.key
    assert registered_ecus(kept) == {identity.serial: "board", "sensor-1": "sensor"}
    assert all(has_root(kept, one) for one in Repository)
    assert load_troubles(kept) == {}


def test_done_once(config, gateway, kept):
    first = run(config, kept)
    count = len(gateway.asked)
    again = run(config, kept)
    assert again.identity[:4] == first.identity[:4]
    assert len(gateway.asked) == count


def test_each_request_may_fail_and_the_next_start_goes_on(config, gateway, kept):
    """One request a start gets through: no second name, no second serial, and in the end all of it."""
    serials, starts, found = set(), 0, None
    while found is None:
        gateway.forget()
        allowed = 1 if starts else 0
        gateway.rule(lambda asked, allowed=allowed: Drop() if asked.count > allowed else None)
        starts += 1
        try:
            found = run(config, kept)
        except ServerError:
            assert load_troubles(kept)[Area.PROVISIONING].condition is Condition.SERVER_UNREACHABLE
            serials.add(kept.fact(module.SERIAL).decode())
    # The device, its ECUs, two roots.
    assert starts in {4, 5}
    assert serials == {found.identity.serial}
    assert load_troubles(kept) == {}
    assert set(gateway.fleet.ecus) == {found.identity.device_id}


def test_other_ecus_are_registered_again(config, gateway, kept):
    first = run(config, kept, SENSOR)
    run(config, kept, CAMERA)
    told = gateway.fleet.ecus[first.identity.device_id]
    assert {one["ecu_serial"] for one in told["ecus"]} == {first.identity.serial, "camera-1"}
    assert misconfigured_ecus(kept) == {"sensor-1"}
    run(config, kept, SENSOR, CAMERA)
    assert misconfigured_ecus(kept) == set()


@pytest.mark.parametrize("code", ["ecu_already_registered", "device_already_registered"])
def test_registered_twice_is_a_state_with_a_remedy(config, gateway, kept, code):
    gateway.rule(always(refusal(409, code, "another one's"), "/director/ecus"))
    with pytest.raises(RegisteredTwice, match="of another device") as caught:
        run(config, kept)
    assert "--new-identity" in caught.value.hint
    assert load_troubles(kept)[Area.PROVISIONING].condition is Condition.REGISTERED_TWICE
    count = len(gateway.asked)
    # Asking again at once does not help.
    with pytest.raises(RegisteredTwice, match="of another device"):
        run(config, kept, now=NOW + timedelta(minutes=59))
    assert len(gateway.asked) == count
    # Later, or when somebody says so, it may.
    with pytest.raises(RegisteredTwice):
        run(config, kept, now=NOW + timedelta(hours=2))
    assert len(gateway.asked) == count + 1
    with pytest.raises(RegisteredTwice):
        run(config, kept, now=NOW + timedelta(hours=3))
    assert len(gateway.asked) == count + 1
    gateway.forget()
    run(config, kept, now=NOW + timedelta(hours=3), again=True)
    assert kept.fact(module.CONFLICT) is None
    assert load_troubles(kept) == {}


def test_what_changed_is_asked_at_once(config, gateway, kept):
    gateway.rule(always(refusal(409, "ecu_already_registered", ""), "/director/ecus"))
    with pytest.raises(RegisteredTwice):
        run(config, kept, SENSOR)
    gateway.forget()
    run(config, kept, CAMERA)
    # And a clock that was set back is no reason to wait for years.
    gateway.rule(always(refusal(409, "ecu_already_registered", ""), "/director/ecus"))
    with pytest.raises(RegisteredTwice):
        run(config, kept, SENSOR)
    gateway.forget()
    run(config, kept, SENSOR, now=NOW - timedelta(days=900))


def test_pauses_grow_to_a_day():
    pauses = [module._pause(times) / timedelta(hours=1) for times in range(1, 9)]
    assert pauses == [1, 2, 4, 8, 16, 24, 24, 24]


def test_a_copy_of_another_device_becomes_one_of_its_own(device, gateway, kept):
    device.write_zip()
    config = device.shared_config()
    first = run(config, kept).identity
    kept.set_facts({DEVICE_ID: first.device_id.encode()})
    with pytest.raises(NotProvisioned, match="has no autoprov"):
        forget_identity(config, kept)
    device.write_zip()
    with kept.transaction() as connection:
        connection.execute("INSERT INTO metadata VALUES ('director', 'targets', x'00')")
    forget_identity(config, kept)
    assert not (device.folder / "sota/tls/key.pem").exists()
    assert kept.rows("SELECT role FROM metadata WHERE repository = 'director'") == [("root",)]
    second = run(config, kept).identity
    assert second.serial != first.serial
    assert second.device_id != first.device_id
    assert set(gateway.fleet.ecus) == {first.device_id, second.device_id}


def test_not_in_the_middle_of_an_update(device, kept):
    config = device.device_config()
    run(config, kept)
    begin_install(kept, Target("ecu-1", "a", 1, {"sha256": "0" * 64}), NOW)
    with pytest.raises(StorageError, match="an update is being installed"):
        forget_identity(config, kept)
    assert kept.fact(module.SERIAL)


def test_a_certificate_that_was_given_stays(device, gateway, kept):
    config = device.device_config()
    first = run(config, kept).identity
    gateway.fleet.ecus.clear()
    forget_identity(config, kept)
    second = run(config, kept).identity
    assert second.serial != first.serial
    assert second.device_id == first.device_id
    assert set(tls_files.tls_facts(kept)) == {tls_files.CA, tls_files.CERT, tls_files.KEY}


@pytest.mark.parametrize("code", ["ecu_replacement_disabled", "missing_device", "strange"])
def test_other_refusals(device, gateway, kept, code):
    config = device.device_config()
    gateway.rule(always(refusal(409, code, ""), "/director/ecus"))
    with pytest.raises(ServerRefused) as caught:
        run(config, kept)
    assert bool(caught.value.hint) == (code != "strange")
    # These are asked again each time.
    gateway.forget()
    run(config, kept)


def test_roots_that_were_given_are_not_asked_for(device, gateway, kept):
    config = device.device_config()
    for name in ("director", "repo"):
        (device.import_path / name).mkdir()
        root = gateway.files[f"/{name}/1.root.json"]
        (device.import_path / name / "root.json").write_bytes(root)
    run(config, kept)
    assert gateway.paths() == ["/director/ecus"]


def test_without_trust_on_first_use(device, gateway, kept):
    config = device.device_config(trust_on_first_use=False)
    with pytest.raises(NotProvisioned, match="no root of the Director"):
        run(config, kept)
    assert gateway.paths() == ["/director/ecus"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(404), NotProvisioned),
        (Answer(423), ServerRefused),
        (Answer(200, b"{}"), IdentityError),
    ],
)
def test_roots_that_are_none(device, gateway, kept, answer, error):
    config = device.device_config()
    gateway.rule(always(answer, "/repo/1.root.json"))
    with pytest.raises(error):
        run(config, kept)
    assert has_root(kept, Repository.DIRECTOR)
    assert not has_root(kept, Repository.IMAGE)
    gateway.forget()
    run(config, kept)
