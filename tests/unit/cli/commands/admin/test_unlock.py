# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.commands.admin import unlock
from ostrya.sysroot.deployment import Unlocked


@pytest.mark.parametrize(
    ("options", "how", "words"),
    [
        ([], Unlocked.DEVELOPMENT, "Development mode enabled.  A writable overlayfs"),
        (["--hotfix"], Unlocked.HOTFIX, "Hotfix mode enabled.  A writable overlayfs"),
        (["--transient"], Unlocked.TRANSIENT, "mounted read-only by default.\n"),
    ],
)
def test_how(admin, monkeypatch, options, how, words):
    asked = []
    monkeypatch.setattr(unlock, "unlock", lambda _sysroot, _loaded, how: asked.append(how))
    assert words in admin.ok("unlock", *options)
    assert asked == [how]


def test_what_is_wrong(admin):
    assert admin.fails("unlock", "--hotfix", "--transient") == (
        "Cannot specify both --hotfix and --transient"
    )
    assert admin.fails("unlock", "x", status=2) == "This command takes no extra arguments"
    assert admin.fails("unlock") == "Not currently booted into an OSTree system"
