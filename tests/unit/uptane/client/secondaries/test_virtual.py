# SPDX-License-Identifier: Apache-2.0
"""A whole update of a vehicle whose second ECU is in the Primary's process."""

from __future__ import annotations

import pytest

from ostrya.uptane.client.primary import End
from ostrya.uptane.client.secondaries.ecu_identity import Verification
from ostrya.uptane.client.secondaries.virtual import VirtualSecondary
from ostrya.uptane.client.storage import open_storage
from support.ota_ecus import SECOND, FakeEcu, add_ecu
from support.ota_second import make_ecu
from support.ota_world import SERIAL, make_device


@pytest.fixture(params=list(Verification))
def device(request, tmp_path):
    device = make_device(tmp_path / "primary")
    add_ecu(device, FakeEcu())
    with make_ecu(tmp_path / "e", request.param) as ecu:
        device.secondaries = (VirtualSecondary(ecu),)
        yield device


def test_an_update(device, tmp_path):
    assert device.cycle().end is End.INSTALLED
    assert (tmp_path / "e/firmware.bin").read_bytes() == b"sensor firmware"
    assert sorted(device.server.results()) == [(SERIAL, "OK"), (SECOND, "OK")]
    assert device.server.manifests[-1].reports[SECOND].image == "sensor"
    assert device.cycle().end is End.UP_TO_DATE


def test_an_ecu_that_trusts_another_root_refuses(device, tmp_path):
    with open_storage(str(tmp_path / "e/sql.db")):
        pass
    ecu = device.secondaries[0]._ecu
    from ostrya.uptane.steps import Repository
    from support.uptane_world import make_repo

    for repository in Repository:
        ecu.put_root(repository, make_repo("x", 60).files["1.root.json"])
    found = device.cycle()
    assert found.end is End.FAILED
    assert "refuses the metadata" in found.words
    assert (SECOND, "VERIFICATION_FAILED") in device.server.results()
    assert not (tmp_path / "e/firmware.bin").exists()


def test_what_it_says_after_a_kill(device):
    from ostrya.uptane.client.installer import Stage
    from ostrya.uptane.client.installs import Target
    from ostrya.uptane.metadata.hashes import digests

    ecu = device.secondaries[0]
    target = Target(SECOND, "sensor", 15, digests(b"sensor firmware"))
    assert ecu.finish(target).stage is Stage.LOST
    device.cycle()
    assert ecu.finish(target).stage is Stage.DONE
