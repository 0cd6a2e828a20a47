# SPDX-License-Identifier: Apache-2.0
"""What the verb itself does; whole updates are in tests/functional/test_ota_client.py."""

from __future__ import annotations

import json

import pytest

from ostrya.uptane.client.client_lock import only_client


@pytest.fixture
def config(tmp_path):
    sections = {
        "tls": {"server": "https://127.0.0.1:9"},
        "provision": {"primary_ecu_hardware_id": "board"},
        "uptane": {"key_type": "ED25519", "enable_online_updates": False},
        "pacman": {"type": "none", "images_path": str(tmp_path / "i")},
        "storage": {"path": str(tmp_path / "sota")},
        "import": {"base_path": str(tmp_path / "import")},
        "bootloader": {"reboot_sentinel_dir": str(tmp_path / "run")},
    }
    path = tmp_path / "sota.toml"

    def write(**more):
        lines = []
        for name, values in sections.items():
            lines.append(f"[{name}]")
            merged = {**values, **more.get(name, {})}
            lines += [f"{key} = {json.dumps(value)}" for key, value in merged.items()]
        path.write_text("\n".join(lines))
        return f"--config={path}"

    return write


def test_a_cycle_without_a_server(run, config, schema):
    found = run.ok("ota", "run", "once", config(), "--json").json()
    schema(found, "ota-run")
    assert found["end"] == "up-to-date"
    assert run.ok("ota", "run", "--mode=check", config()).lines == ["up-to-date"]


def test_a_device_that_is_not_provisioned(run, config):
    options = config(uptane={"enable_online_updates": True})
    assert run("ota", "run", "once", options).status == 70


def test_modes(run, config):
    assert "one mode at a time" in run.fails(
        "ota", "run", "once", "--mode=check", config(), status=2
    )
    campaigns = run("ota", "run", "campaign_check", config())
    assert "ostrya ota campaign list" in campaigns.err
    assert "no mode sometimes" in run.fails("ota", "run", "sometimes", config(), status=2)


def test_no_configuration(run, tmp_path):
    assert "no configuration at" in run.fails("ota", "run", "-c", tmp_path / "x", status=70)


def test_one_client_at_a_time(run, config, tmp_path):
    option = config()
    with only_client(str(tmp_path / "sota/sql.db")):
        assert "works with" in run.fails("ota", "run", "once", option, status=70)


def test_options_win_over_files(run, config, tmp_path):
    (tmp_path / "ecus.json").write_text("[]")
    option = config()
    said = run.fails(
        "ota", "run", "once", option, f"--secondary-config-file={tmp_path / 'ecus.json'}", status=70
    )
    assert "ecus.json is no object" in said
