# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_new_keys(run, made):
    folder, _ = made
    done = run.ok("ota", "keys", "rotate", "timestamp", "--threshold=2", folder)
    assert len(done.lines) == 2
    assert "root 2 is staged, and not published yet" in run.ok("ota", "keys", "list", folder).lines
    assert run.ok("ota", "targets", "sign", folder).lines[0] == "2.root.json"


def test_refused(run, made):
    run.fails("ota", "keys", "rotate", made[0], status=2)
    run.fails("ota", "keys", "rotate", "nobody", made[0], status=70)
