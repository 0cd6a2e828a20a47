# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from support.machines import write


def test_what_was_changed(admin, schema):
    deployment = admin.machine.deploy(admin.machine.commit("1"))
    etc = admin.machine.etc(deployment)
    write(etc / "default", "mine\n")
    write(etc / "dir/new", "mine\n")
    (etc / "gone").unlink()
    expected = "M    default\nD    gone\nA    dir/new\n"
    assert admin.ok("config-diff", "--os=test") == expected
    admin.start()
    assert admin.ok("config-diff") == expected
    found = admin.json("config-diff")
    schema(found, "admin-config-diff")
    assert found == {
        "modified": ["default"],
        "removed": ["gone"],
        "added": ["dir/new"],
    }


def test_what_is_wrong(admin):
    assert "no --os= argument given" in admin.fails("config-diff", status=50)
    assert admin.fails("config-diff", "--os=none") == "No deployment for OS 'none'"
