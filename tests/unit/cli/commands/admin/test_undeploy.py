# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_one_less(admin):
    old = admin.machine.deploy(admin.machine.commit("1"))
    new = admin.machine.deploy(admin.machine.commit("2"))
    said = admin.ok("undeploy", "1")
    assert f"Deleted deployment {old.name}\n" in said
    (left,) = admin.machine.loaded.deployments
    assert left.is_same(new)
    assert admin.fails("undeploy", status=2) == "INDEX must be specified"
    admin.start()
    assert "Cannot undeploy currently booted" in admin.fails("undeploy", "0", status=50)
