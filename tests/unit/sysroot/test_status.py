# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.formats.gvariant.vardict import Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.sysroot.order import Retain
from ostrya.sysroot.status import read_status
from support.machines import REF
from support.small_repos import object_path


def test_what_is_said_of_each(machine):
    title = [("ostree.source-title", Variant("s", "from elsewhere"))]
    machine.deploy(machine.commit("1", metadata=title))
    machine.deploy(machine.commit("2"))
    machine.deploy(machine.commit("3"), retain=Retain(all=True))
    newest, running, oldest = read_status(machine.sysroot, machine.run(1))
    assert [one.mark for one in (newest, running, oldest)] == ["pending", "", "rollback"]
    assert [one.version for one in (newest, running, oldest)] == ["3", "2", "1"]
    assert (newest.next_boot, running.next_boot) == (True, False)
    assert oldest.source_title == "from elsewhere"
    assert oldest.as_json() == {
        "checksum": oldest.deployment.checksum,
        "stateroot": "test",
        "refspec": REF,
        "serial": 0,
        "index": 2,
        "booted": False,
        "next-boot": False,
        "pending": False,
        "rollback": True,
        "finalization-locked": False,
        "soft-reboot-target": False,
        "staged": False,
        "pinned": False,
        "unlocked": "none",
        "version": "1",
        "source-title": "from elsewhere",
    }


def test_marks_of_staged_ones(machine):
    machine.deploy(machine.commit("1"))
    (shown,) = read_status(machine.sysroot, machine.loaded)
    staged = shown._replace(deployment=shown.deployment._replace(staged=True))
    locked = shown._replace(deployment=shown.deployment._replace(staged=True, locked=True))
    assert (shown.mark, staged.mark, locked.mark) == ("", "staged", "finalization locked")


def test_commits_that_are_gone_or_damaged(machine):
    first = machine.deploy(machine.commit("1"))
    second = machine.deploy(machine.commit("2"))
    repo = machine.sysroot.repo
    object_path(repo, ObjectName(first.checksum, ObjectType.COMMIT)).unlink()
    damaged = object_path(repo, ObjectName(second.checksum, ObjectType.COMMIT))
    damaged.chmod(0o644)
    damaged.write_bytes(b"damaged")
    shown = read_status(machine.sysroot, machine.loaded)
    assert [(one.version, one.source_title) for one in shown] == [(None, None)] * 2
    assert shown[0].refspec == REF
    without = shown[0]._replace(deployment=shown[0].deployment._replace(origin=None))
    assert without.refspec is None
    assert without.as_json()["refspec"] is None
