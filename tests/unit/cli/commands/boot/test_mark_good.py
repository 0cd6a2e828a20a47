# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.trial import End


def test_a_trial_is_over(boot):
    second = boot.machine.deploy(boot.machine.commit("2"))
    boot.machine.start()
    assert boot.ok("mark-good") == f"Deployment {second.name} is good; its trial is over\n"
    assert boot.machine.record().end is End.OK
    assert boot.ok("mark-good") == f"Deployment {second.name} is good\n"


def test_where_there_is_no_rollback(boot):
    boot.machine.configure("ostrya", rollback="none")
    assert "is off" in boot.fails("mark-good", status=50)
    assert boot.ok("mark-good", "--if-on") == ""
