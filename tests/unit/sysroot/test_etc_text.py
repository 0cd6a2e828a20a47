# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.sysroot.etc_ahead import EtcStep, plan_etc_ahead
from ostrya.sysroot.etc_text import diff_steps
from support.machines import write


def test_lines_that_differ(machine):
    merge = machine.deploy(machine.commit("1"))
    etc = machine.etc(merge)
    write(etc / "default", "mine\n")
    write(etc / "new", "mine\n")
    write(etc / "same", "x" * (1 << 20) + "y")
    (etc / "owner").write_bytes(b"\xff\n")
    (etc / "gone").unlink()
    checksum = machine.commit("2")
    steps = plan_etc_ahead(machine.sysroot, merge, checksum)
    found = diff_steps(machine.sysroot, merge, checksum, steps)
    assert found["default"] == (
        "--- default (new default)\n+++ default (kept)\n@@ -1 +1 @@\n-default 2\n+mine\n"
    )
    assert found["dir/file"] == (
        "--- dir/file (old default)\n+++ dir/file (new default)\n"
        "@@ -1 +1 @@\n-dir/file 1\n+dir/file 2\n"
    )
    assert found["owner"] == "owner (new default) and owner (kept) differ, and are no text\n"
    # Too large, not in both, deleted.
    assert not {"same", "new", "gone"} & set(found)


def test_links_and_what_is_gone_meanwhile(machine):
    merge = machine.deploy(machine.commit("1"))
    steps = [
        EtcStep(path, outcome, "")
        for path, outcome in (
            ("link", "kept"),
            ("dir", "kept"),
            ("none", "kept"),
            ("link", "updated"),
        )
    ]
    assert diff_steps(machine.sysroot, merge, machine.commit("2"), steps) == {}
