# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.commands.admin import state_overlay


def test_what_is_mounted(admin, monkeypatch):
    asked = []
    monkeypatch.setattr(
        state_overlay, "mount_state_overlay", lambda _sysroot, _loaded, *words: asked.append(words)
    )
    admin.ok("state-overlay", "opt", "/opt")
    assert asked == [("opt", "/opt")]


def test_what_is_wrong(admin):
    assert admin.fails("state-overlay", "opt", status=2) == "Missing NAME or MOUNTPATH"
    said = admin.fails("state-overlay", "opt", "/opt", status=50)
    assert said == "Must be booted into an OSTree deployment"
