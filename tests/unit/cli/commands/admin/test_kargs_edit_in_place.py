# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_all_deployments_change(admin):
    admin.machine.deploy(admin.machine.commit("1"), kargs="quiet")
    admin.machine.deploy(admin.machine.commit("2"), kargs="root=x")
    admin.ok("kargs", "edit-in-place", "--append-if-missing=quiet", "--append-if-missing=a=b")
    found = [str(one.kargs) for one in admin.machine.loaded.deployments]
    assert found == ["root=x quiet a=b", "quiet a=b"]


def test_the_group_has_no_other_verb(admin):
    assert admin.fails("kargs", status=2) == 'No "admin kargs" subcommand specified'
    assert admin.fails("kargs", "x", status=2) == "Unknown \"admin kargs\" subcommand 'x'"
    said = admin.fails("kargs", "edit-in-place", "--append-if-missing=a")
    assert said == "Unable to find a deployment in sysroot"


def test_the_group_lists_it(admin):
    assert "\n  edit-in-place " in admin.ok("kargs", "--help")
