# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.trial import End
from ostrya.cli.commands.boot import check
from ostrya.sysroot.health import Check, HealthSettings


@pytest.fixture
def checked(boot, monkeypatch):
    """A system with one check, that says what the test wants."""
    boot.problem = ""
    boot.programs = []
    monkeypatch.setattr(check, "read_settings", lambda _root: HealthSettings())
    made = [Check("required.d/x", required=True, run=lambda: boot.problem)]
    monkeypatch.setattr(check, "find_checks", lambda *_arguments: made)
    monkeypatch.setattr(check, "run_hooks", lambda *_a, healthy: boot.hooks.append(healthy) or [])
    monkeypatch.setattr(check, "run_program", boot.programs.append)
    boot.hooks = []
    return boot


def test_all_is_well(checked, schema):
    assert checked.ok("check").startswith("ok     required.d/x")
    found = checked.json("check")
    schema(found, "boot-check")
    assert (found["healthy"], found["checks"][0]["ok"], found["damage"]) == (True, True, [])
    checked.ok("check", "--act")
    assert (checked.hooks, checked.programs) == ([True], [])


def test_it_is_not(checked):
    checked.problem = "broken"
    assert checked.run("boot", "check").status == 50
    assert "this start is not a good one: required.d/x: broken" in checked.fails("check", "--act")
    assert (checked.hooks, checked.programs) == ([False], [])


def test_on_trial_it_is_started_again(checked):
    checked.machine.deploy(checked.machine.commit("2"))
    checked.machine.start()
    checked.problem = "broken"
    checked.fails("check", "--act")
    assert checked.programs == [["systemctl", "--no-block", "reboot"]]
    assert checked.machine.record().end is End.OPEN
    assert "1 of 3 starts, the last failed: required.d/x: broken)" in checked.ok("status")


def test_fail_fast(checked):
    checked.machine.configure("ostrya", rollback_fail_fast="true")
    checked.machine.deploy(checked.machine.commit("2"))
    checked.machine.start()
    checked.problem = "broken"
    checked.fails("check", "--act")
    assert checked.machine.record().end is End.HEALTH
    assert checked.machine.start().booted.is_same(checked.machine.first)


def test_where_nothing_can_be_noted_it_is_started_again_all_the_same(checked, monkeypatch):
    checked.machine.configure("ostrya", rollback_fail_fast="true")
    checked.machine.deploy(checked.machine.commit("2"))
    checked.machine.start()
    checked.problem = "broken"

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(check, "mark_bad", full)
    done = checked.run("boot", "check", "--act")
    assert done.status != 0
    assert "the verdict could not be noted: [Errno 28] No space left on device" in done.err
    assert checked.programs == [["systemctl", "--no-block", "reboot"]]
    assert checked.machine.record().end is End.OPEN


def test_damage_is_told(checked):
    (checked.machine.state / "ostrya0.env").unlink()
    done = checked.run("boot", "check")
    assert done.status == 50
    assert "damage: ostrya0.env" in done.out
