# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.commands.admin import boot_complete
from ostrya.sysroot.staged import FAILURE
from support.machines import write


def test_a_failure_is_told(admin, monkeypatch):
    monkeypatch.setattr(boot_complete, "is_booted", lambda: True)
    admin.machine.deploy(admin.machine.commit("1"))
    admin.start()
    admin.ok("boot-complete")
    write(admin.machine.root / FAILURE, "no room")
    said = "ostree-finalize-staged.service failed on previous boot: no room"
    assert admin.fails("boot-complete", status=50) == said
    # The service fails once; people are told as long as the system runs.
    admin.ok("boot-complete")
    assert "The last staged deployment was not finalized: no room" in admin.ok("status")
    assert admin.json("status")["finalize_failure"] == "no room"


@pytest.mark.parametrize("path", ["/nonexistent"])
def test_on_another_system(admin, monkeypatch, path):
    monkeypatch.setattr(boot_complete, "is_booted", lambda: False)
    monkeypatch.setenv("OSTREE_SYSROOT", path)
    admin.ok("boot-complete")
