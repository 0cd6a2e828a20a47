# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_there_and_back(admin):
    old = admin.machine.deploy(admin.machine.commit("1"))
    new = admin.machine.deploy(admin.machine.commit("2"))
    admin.start(0)
    assert admin.ok("rollback").endswith(f"Next boot: test {old.name}\n")
    assert admin.ok("rollback").endswith(f"Next boot: test {new.name}\n")
    assert admin.machine.loaded.deployments[0].is_same(new)


def test_nothing_to_go_back_to(admin):
    admin.machine.deploy(admin.machine.commit("1"))
    assert "no deployment to roll back to" in admin.fails("rollback", status=50)
