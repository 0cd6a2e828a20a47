# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.uptane.client.client_lock import only_client
from ostrya.uptane.client.config import KeySource, P11Section

PARTS = {
    "name-only": "car-1", "tls-root-ca": "BEGIN CERTIFICATE", "tls-cert": "BEGIN CERTIFICATE",
    "tls-prv-key": "PRIVATE KEY", "tls-creds": "PRIVATE KEY",
    "image-root": '"root"', "director-root": '"root"',
}  # fmt: skip


@pytest.fixture
def config(run, device):
    device.write_zip()
    config = device.option(device.shared_config(device_id="car-1"))
    run.ok("ota", "provision", config)
    return config


def test_a_device_that_is_new(run, device, schema):
    config = device.option(device.device_config())
    found = run.ok("ota", "info", config, "--json").json()
    schema(found, "ota-info")
    assert not found["provisioned"]
    assert [one["condition"] for one in found["troubles"]] == ["not-provisioned"]
    assert not (device.folder / "sota").exists()
    assert "has none yet" in run.fails("ota", "info", config, "--name-only", status=70)


def test_a_device_of_the_fleet(run, config, schema, device):
    with only_client(str(device.folder / "sota/sql.db")):
        found = run.ok("ota", "info", config, "--json").json()
    schema(found, "ota-info")
    assert (found["device_id"], found["provisioned"], found["troubles"]) == ("car-1", True, [])
    lines = run.ok("ota", "info", config).lines
    assert lines[0] == "device car-1"
    assert lines[-1] == "nothing is wrong"


@pytest.mark.parametrize(("part", "words"), PARTS.items())
def test_one_part(run, config, part, words):
    assert words in run.ok("ota", "info", config, f"--{part}").out


def test_keys(run, config):
    key_id = run.ok("ota", "info", config, "--ecu-keyid").lines[0]
    assert key_id == run.ok("ota", "info", config, "--json").json()["ecus"][0]["serial"]
    public = run.ok("ota", "info", config, "--ecu-pub-key").lines[0]
    private = run.ok("ota", "info", config, "--ecu-prv-key").lines[0]
    assert private.endswith(public)
    assert run.ok("ota", "info", config, "--ecu-keys").lines == [public, private]
    assert run.ok("ota", "info", config, "--secondary-keys").lines == []


def test_a_key_on_a_token_stays_there(run, config, device):
    """And the token is not even asked."""
    public = run.ok("ota", "info", config, "--ecu-pub-key").lines
    given = device.shared_config(device_id="car-1")
    p11 = P11Section(module="/none.so", uptane_key_id="07")
    token = given._replace(
        p11=p11, uptane=given.uptane._replace(key_source=KeySource.PKCS11),
        tls=given.tls._replace(pkey_source=KeySource.PKCS11),
    )  # fmt: skip
    config = device.option(token)
    assert run.ok("ota", "info", config, "--ecu-pub-key").lines == public
    assert run.ok("ota", "info", config, "--ecu-prv-key").lines == ["on the token, with the id 07"]
    assert "on the token" in run.ok("ota", "info", config, "--tls-prv-key").out


def test_roots_by_their_numbers(run, config):
    root = run.ok("ota", "info", config, "--director-root", "--root-version=1").out
    assert json.loads(root)["signed"]["version"] == 1
    for wrong in ("--root-version=7", "--root-version=-1"):
        assert "has none yet" in run.fails("ota", "info", config, "--director-root", wrong)
    assert run.ok("ota", "info", config, "--delegation").out == ""


def test_waiting(run, config):
    assert run.ok("ota", "info", config, "--wait-until-provisioned", "--name-only").lines == [
        "car-1"
    ]


def test_command_lines_that_make_no_sense(run, config):
    assert "nothing is to be named" in run.fails("ota", "info", "x")
    assert "not with --json" in run.fails("ota", "info", config, "--tls-cert", "--json")
