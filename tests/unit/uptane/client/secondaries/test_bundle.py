# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.primary import Mode
from ostrya.uptane.client.secondaries.bundle import Bundle, load_bundle
from ostrya.uptane.errors import StorageError
from ostrya.uptane.steps import Repository
from support.ota_world import make_device


def test_all_that_is_trusted_is_handed_on(tmp_path):
    device = make_device(tmp_path)
    device.server.world.director.write_root()
    device.server.world.publish()
    with device.primary() as primary:
        primary.cycle(Mode.ONCE)
        bundle = load_bundle(primary._parts.storage)
    files = device.server.world.director.files
    assert bundle.files(Repository.DIRECTOR)["targets"] == files["targets.json"]
    assert set(bundle.files(Repository.IMAGE)) == {"root", "timestamp", "snapshot", "targets"}
    assert bundle.roots_after(Repository.DIRECTOR, 1) == (files["2.root.json"],)
    assert bundle.roots_after(Repository.DIRECTOR, 2) == ()


def test_a_gap_between_roots_is_no_chain():
    bundle = Bundle({}, {}, {2: b"2", 4: b"4"}, {})
    assert bundle.roots_after(Repository.DIRECTOR, 3) == (b"4",)
    with pytest.raises(StorageError, match="root 3 of the Director"):
        bundle.roots_after(Repository.DIRECTOR, 1)
