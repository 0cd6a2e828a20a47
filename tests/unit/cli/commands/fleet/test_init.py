# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

from ostrya.fleet.domain.services import open_services


def test_what_to_do_next(run, tmp_path):
    folder = tmp_path / "f"
    out = run.ok("fleet", "init", folder, "--name=acme", "--hostname=a.example").out
    assert f"ostrya fleet serve {folder}" in out
    assert "https://a.example:8443" in out
    with open_services(str(folder)) as services:
        assert services.settings.server.name == "acme"


def test_once(run, tmp_path):
    run.ok("fleet", "init", tmp_path / "f")
    assert "exists already" in run.fails("fleet", "init", tmp_path / "f", status=80)
    assert "one DIR" in run.fails("fleet", "init", status=2)
    assert "no address" in run.fails("fleet", "init", tmp_path / "g", "--listen=x", status=80)
    assert os.listdir(tmp_path) == ["f"]


def test_keys_that_stay_elsewhere(run, tmp_path):
    option = f"--offline-image-keys={tmp_path / 'usb'}"
    out = run.ok("fleet", "init", tmp_path / "f", option).out
    assert f"signed with the keys in {tmp_path / 'usb'}" in out
    names = sorted(os.listdir(tmp_path / "f" / "image" / "keys"))
    assert {name.partition("-")[0] for name in names} == {"snapshot", "timestamp"}
    run.ok("ota", "keys", "list", f"--dir={tmp_path / 'usb'}")
