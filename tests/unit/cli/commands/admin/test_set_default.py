# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_another_one_first(admin):
    old = admin.machine.deploy(admin.machine.commit("1"))
    admin.machine.deploy(admin.machine.commit("2"))
    assert "bootconfig swap: yes" in admin.ok("set-default", "1")
    assert admin.machine.loaded.deployments[0].is_same(old)
    assert admin.fails("set-default", status=2) == "INDEX must be specified"
