# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.sysroot.ledger import read_ledger
from ostrya.sysroot.sysroot import NOT_RUNNING


def test_the_running_one(boot):
    second = boot.machine.deploy(boot.machine.commit("2"))
    boot.machine.start()
    said = boot.ok("mark-bad", "--reason=no radio")
    assert said == f"Deployment {second.name} is bad, and is not started any more\n"
    assert read_ledger(boot.machine.sysroot).last.detail == "no radio"
    assert boot.machine.start().booted.is_same(boot.machine.first)


def test_one_by_its_number(boot):
    boot.machine.deploy(boot.machine.commit("2"))
    assert "is bad" in boot.ok("mark-bad", "0")
    assert boot.machine.start().booted.is_same(boot.machine.first)


def test_nothing_to_say(boot):
    assert "nothing to fall back to" in boot.fails("mark-bad", status=50)
    assert "Too many" in boot.fails("mark-bad", "0", "1", status=2)
    boot.machine.sysroot.running = NOT_RUNNING
    assert "is running" in boot.fails("mark-bad", status=50)
