# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli import ota_client
from ostrya.cli.environment import Environment
from ostrya.cli.ota_client import OVERRIDES, sysroot_opener, utc_now
from ostrya.sysroot.stateroot import make_sysroot
from ostrya.sysroot.sysroot import NOT_RUNNING
from ostrya.uptane.client.config import ClientConfig


def test_options_of_aktualizrs_stand_for_keys_that_there_are():
    for section, key in OVERRIDES.values():
        assert hasattr(getattr(ClientConfig(), section), key)


def test_a_sysroot_is_opened_again_and_again(tmp_path):
    make_sysroot(str(tmp_path))
    opener = sysroot_opener(str(tmp_path), Environment())
    for _ in range(2):
        with opener() as sysroot:
            assert sysroot.path == str(tmp_path)
            assert sysroot.running.root is None
    assert utc_now().tzinfo is not None


def test_the_disk_of_the_running_system_is_the_running_system(monkeypatch):
    opened = []
    monkeypatch.setattr(ota_client, "is_booted", lambda: True)
    monkeypatch.setattr(ota_client, "find_running", lambda path: opened.append(path) or NOT_RUNNING)
    sysroot_opener("/sysroot", Environment())
    assert opened == ["/"]
