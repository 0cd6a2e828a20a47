# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.formats.gvariant.vardict import Variant
from ostrya.repo.refs import list_refs
from ostrya.sysroot.origin import Origin
from support.machines import REF


def test_another_ref(admin):
    machine = admin.machine
    vendor = machine.add_vendor()
    first = machine.commit("1", repo=vendor)
    # Older than what runs: refs have no age in common.
    second = machine.commit("2", repo=vendor, ref="test/devel", timestamp=1)
    admin.run.ok("pull", f"--repo={machine.sysroot.repo.path}", "vendor", REF)
    machine.deploy(first, origin=Origin.following(f"vendor:{REF}"))
    said = admin.ok("switch", "--os=test", "test/devel")
    assert said.endswith("Deleting ref 'vendor:test/os'\n")
    new, _ = machine.loaded.deployments
    assert (new.checksum, new.origin) == (second, Origin.following("vendor:test/devel"))
    refs = list_refs(machine.sysroot.repo, include_remotes=True)
    assert f"vendor:{REF}" not in refs
    assert refs["vendor:test/devel"] == second


def test_another_ref_that_leads_back(admin):
    machine = admin.machine
    vendor = machine.add_vendor()
    first = machine.commit("1", repo=vendor)
    metadata = [("ostree.endoflife-rebase", Variant("s", REF))]
    machine.commit("2", repo=vendor, ref="test/devel", metadata=metadata)
    admin.run.ok("pull", f"--repo={machine.sysroot.repo.path}", "vendor", REF)
    machine.deploy(first, origin=Origin.following(f"vendor:{REF}"))
    assert "Deleting ref" not in admin.ok("switch", "--os=test", "test/devel")
    assert list_refs(machine.sysroot.repo, include_remotes=True)[f"vendor:{REF}"] == first


def test_from_a_ref_that_was_never_pulled(admin):
    machine = admin.machine
    first = machine.commit("1", repo=machine.add_vendor())
    admin.run.ok("pull", f"--repo={machine.sysroot.repo.path}", "vendor", REF)
    machine.deploy(first, origin=Origin.following("vendor:test/lost"))
    admin.ok("switch", "--os=test", REF)
    assert machine.loaded.deployments[0].origin == Origin.following(f"vendor:{REF}")


def test_what_is_wrong(admin):
    assert admin.fails("switch", status=2) == "REFSPEC must be specified"
    admin.machine.deploy(admin.machine.commit("1"))
    assert admin.fails("switch", "--os=test", REF) == f"Old and new refs are equal: {REF}"
