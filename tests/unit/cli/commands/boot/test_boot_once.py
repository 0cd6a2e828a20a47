# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_once(boot):
    boot.machine.deploy(boot.machine.commit("2"))
    boot.machine.start()
    boot.ok("mark-good")
    first = boot.machine.first
    assert boot.ok("boot-once", "1") == f"The next start is of deployment {first.name}\n"
    assert boot.machine.start().booted.is_same(first)
    assert not boot.machine.start().booted.is_same(first)


def test_which(boot):
    assert "INDEX must be" in boot.fails("boot-once", status=2)
    assert "Out of range" in boot.fails("boot-once", "5", status=50)
