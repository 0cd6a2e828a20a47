# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_nothing_on_trial(boot):
    first = boot.machine.first
    assert boot.ok("status") == (
        f"Automatic rollback: uboot\nDefault: test {first.name}, running\nFallback: none\n"
        "Started: as usual\n"
    )


def test_on_trial_and_after(boot, schema):
    second = boot.machine.deploy(boot.machine.commit("2"))
    boot.machine.start()
    said = boot.ok("status")
    assert f"Default: test {second.name}, running (on trial, 1 of 3 starts)" in said
    assert "Started: on trial" in said
    assert "on trial, 1 of 3 starts" in boot.run.ok("admin", "status").out
    schema(boot.json("status"), "boot-status")
    schema(boot.run.ok("admin", "status", "--json").json(), "admin-status")
    found = boot.json("status")["rollback"]
    assert (found["on-trial"], found["tries"], found["fallback"]) == (
        True, 1, str(boot.machine.first.name),
    )  # fmt: skip
    for _ in range(3):
        boot.machine.start()
    boot.ok("settle")
    found = boot.json("status")
    schema(found, "boot-status")
    assert found["rollback"]["last-rollback"]["why"] == "tries"
    schema(boot.run.ok("admin", "status", "--json").json(), "admin-status")
    said = boot.ok("status")
    assert f"Last rollback: {second.checksum} on 20" in said
    assert "Started: fallback: the default did not come up" in said
    assert "failed: it did not come up" in boot.run.ok("admin", "status").out


def test_damage(boot):
    (boot.machine.state / "ostrya0.env").unlink()
    assert "Damage: ostrya0.env: it is not there" in boot.ok("status")
    assert "Damage: ostrya0.env" in boot.run.ok("admin", "status").out


def test_off(boot, schema):
    boot.machine.configure("ostrya", rollback="none")
    assert boot.ok("status") == "Automatic rollback: off\n"
    assert boot.json("status") == {"rollback": None}
    schema(boot.json("status"), "boot-status")
    assert "rollback" not in boot.run.ok("admin", "status", "--json").json()
