# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from support.machines import write


@pytest.fixture
def changed(admin):
    deployment = admin.machine.deploy(admin.machine.commit("1"))
    write(admin.machine.etc(deployment) / "default", "mine\n")
    admin.machine.commit("2")
    return admin


def test_of_what_is_followed(changed):
    said = changed.ok("etc-plan", "--os=test").splitlines()
    assert said[0] == (
        "kept      default: changed here; the new default, which has changed too, is not used"
    )
    assert "updated   dir/file: the new default" in said


def test_with_lines(changed, schema):
    said = changed.ok("etc-plan", "--os=test", "--diff", "test/os")
    assert "+++ default (kept)\n@@ -1 +1 @@\n-default 2\n+mine\n" in said
    found = changed.json("etc-plan", "--os=test", "--diff")
    schema(found, "admin-etc-plan")
    step = found["steps"][0]
    assert (step["path"], step["outcome"]) == ("default", "kept")
    assert "-default 2" in step["diff"]
    assert changed.json("etc-plan", "--os=test")["steps"][0]["diff"] is None


def test_of_a_deployment(changed):
    changed.start()
    assert changed.ok("etc-plan", "--index=booted") == "kept      default: changed here\n"
    said = changed.fails("etc-plan", "--index=0", "test/os", status=2)
    assert said == "REF and --index say both what is deployed next"


def test_nothing_changes(admin):
    admin.machine.deploy(admin.machine.commit("1"))
    said = admin.ok("etc-plan", "--os=test")
    assert said == "Nothing in /etc was changed, nor would be.\n"


def test_conflicts(changed):
    machine = changed.machine
    write(machine.etc(machine.loaded.deployments[0]) / "x", "mine\n")
    machine.commit("3", edit=lambda tree: write(tree / "usr/etc/x/y", "theirs\n"))
    done = changed.run("admin", "etc-plan", "--os=test")
    assert done.status == 1
    first = done.lines[0]
    assert first == "conflict  x: a file here, a directory in the new defaults"
