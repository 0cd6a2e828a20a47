# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.commands.boot import expire


def test_only_what_is_on_trial(boot, monkeypatch):
    programs = []
    monkeypatch.setattr(expire, "run_program", programs.append)
    boot.ok("expire")
    boot.machine.deploy(boot.machine.commit("2"))
    boot.ok("expire")
    assert programs == []
    boot.machine.start()
    boot.ok("expire")
    assert programs == [["systemctl", "--force", "reboot"]]
    boot.ok("mark-good")
    boot.ok("expire")
    assert len(programs) == 1
