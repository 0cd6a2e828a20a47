# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_pins(admin):
    admin.machine.deploy(admin.machine.commit("1"))
    admin.machine.deploy(admin.machine.commit("2"))
    assert admin.ok("pin", "0", "1") == "Deployment 0 is now pinned\nDeployment 1 is now pinned\n"
    assert admin.ok("pin", "1") == "Deployment 1 is already pinned\n"
    assert admin.ok("pin", "-u", "1") == "Deployment 1 is now unpinned\n"
    assert [one.pinned for one in admin.machine.loaded.deployments] == [True, False]
    admin.start(1)
    assert admin.ok("pin", "booted") == "Deployment 1 is now pinned\n"
    assert admin.fails("pin", status=2) == "INDEX must be specified"
    assert "Out of range" in admin.fails("pin", "7")
