# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.commands.admin import prepare_soft_reboot as module


def test_prepared_and_taken_back(admin, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "prepare_soft_reboot", lambda *found: asked.append(found[2]))
    monkeypatch.setattr(module, "clear_soft_reboot", lambda _sysroot: asked.append("reset"))
    monkeypatch.setattr(module, "run_program", asked.append)
    admin.machine.deploy(admin.machine.commit("1"))
    admin.machine.deploy(admin.machine.commit("2"))
    admin.ok("prepare-soft-reboot", "1")
    admin.ok("prepare-soft-reboot", "0", "--reboot")
    admin.ok("prepare-soft-reboot", "--reset")
    assert asked == [1, 0, ["systemctl", "soft-reboot"], "reset"]


def test_what_is_wrong(admin):
    assert admin.fails("prepare-soft-reboot", status=2) == "INDEX must be specified"
    admin.machine.deploy(admin.machine.commit("1"))
    error = "Out of range deployment index 3, expected < 1"
    assert admin.fails("prepare-soft-reboot", "3", status=50) == error
    assert admin.fails("prepare-soft-reboot", "0", status=50)
