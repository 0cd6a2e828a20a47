# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.client.client_lock import only_client


def test_shared_credentials(run, device, gateway, schema):
    device.write_zip()
    config = device.option(device.shared_config(device_id="car-1"))
    found = run.ok("ota", "provision", config, "--json").json()
    schema(found, "ota-provision")
    assert found["device_id"] == "car-1"
    assert found["server"] == gateway.url
    assert found["done"] == ["identity", "certificate", "ecus", "roots"]
    assert [one["hardware_id"] for one in found["ecus"]] == ["board"]
    assert gateway.fleet.ecus["car-1"]["primary_ecu_serial"] == found["primary"]
    again = run.ok("ota", "provision", config, "--json").json()
    assert again == {**found, "done": []}
    lines = run.ok("ota", "provision", config).lines
    assert lines[0] == "car-1: nothing was left to do"
    assert f"ECU {found['primary']} (Primary), a board" in lines


def test_device_credentials(run, device, gateway):
    config = device.option(device.device_config("car-2"))
    lines = run.ok("ota", "provision", config).lines
    assert lines[0].startswith("car-2: made its name and key, got its certificate, registered")
    assert "car-2" in gateway.fleet.ecus


def test_a_copy_becomes_another_device(run, device, gateway):
    device.write_zip()
    config = device.option(device.shared_config())
    first = run.ok("ota", "provision", config, "--json").json()
    # The shared certificate is taken out once it was used: a copy is given it again.
    assert "it was used" in run.fails("ota", "provision", config, "--new-identity", status=70)
    assert run.ok("ota", "provision", config, "--json").json()["primary"] == first["primary"]
    device.write_zip()
    second = run.ok("ota", "provision", config, "--new-identity", "--json").json()
    assert second["primary"] != first["primary"]
    assert len(gateway.fleet.ecus) == 2


def test_one_that_is_registered_twice_is_told_what_to_do(run, device, gateway):
    config = device.option(device.device_config("car-3"))
    first = run.ok("ota", "provision", config, "--json").json()
    gateway.fleet.ecus["another"] = gateway.fleet.ecus.pop("car-3")
    with device.open() as storage:
        storage.forget_fact("registered-ecus")
    outcome = run("ota", "provision", config)
    assert outcome.status == 70
    assert first["primary"] in outcome.error
    assert "--new-identity" in outcome.err


def test_one_client_at_a_time(run, device):
    config = device.option(device.device_config())
    with only_client(str(device.folder / "sota/sql.db")):
        assert "works with" in run.fails("ota", "provision", config, status=70)


def test_nothing_is_named(run):
    assert "nothing is to be named" in run.fails("ota", "provision", "x")
