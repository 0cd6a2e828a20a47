# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.sysroot.origin import Origin
from support.machines import REF


def test_nothing_deployed(admin):
    assert admin.ok("status") == "No deployments.\n"
    assert admin.json("status") == {
        "deployments": [],
        "next_boot": None,
        "finalize_failure": None,
    }
    assert admin.fails("status", "-D") == "Not in a booted OSTree system"


def test_for_people(admin, schema):
    old = admin.machine.deploy(admin.machine.commit("1"))
    new = admin.machine.deploy(admin.machine.commit("2"), origin=Origin.following("none:x"))
    admin.machine.run(1)
    admin.ok("pin", "1")
    notes = admin.machine.top / f"run/deployment-state/{old.name}"
    notes.mkdir(parents=True)
    (notes / "unlocked-development").touch()
    # Its remote is gone; that is no reason to say nothing.
    assert admin.ok("status") == (
        f"  test {new.name} (pending)\n    Version: 2\n    origin refspec: none:x\n"
        f"* test {old.name}\n    Version: 1\n    Unlocked: development\n    Pinned: yes\n"
        f"    origin refspec: {REF}\n"
    )
    assert admin.ok("status", "--skip-signatures").startswith(f"  test {new.name}")
    assert admin.ok("status", "--is-default") == "not-default\n"
    found = admin.json("status")
    schema(found, "admin-status")
    assert found["next_boot"] == str(new.name)
    assert [one["booted"] for one in found["deployments"]] == [False, True]


def test_origins_that_say_nothing(admin):
    deployment = admin.machine.deploy(admin.machine.commit("1"), origin=Origin.empty())
    assert "origin: <unknown origin type>\n" in admin.ok("status")
    (admin.machine.root / f"{deployment.path}.origin").unlink()
    assert "    origin: none\n" in admin.ok("status")


def test_verifying(admin):
    admin.machine.deploy(admin.machine.commit("1"))
    assert admin.fails("status", "-V") == "Cannot verify deployment without remote"


def test_for_other_programs(admin):
    deployment = admin.machine.deploy(admin.machine.commit("1"))
    place = f"{admin.machine.root}/{deployment.path}\n"
    assert admin.ok("--print-current-dir") == place
    assert admin.ok("status", "--print-current-dir") == place
