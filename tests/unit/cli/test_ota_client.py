# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.environment import Environment
from ostrya.cli.ota_client import OVERRIDES, sysroot_opener, utc_now
from ostrya.sysroot.stateroot import make_sysroot
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
