# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_copied(run, made, tmp_path):
    done = run.ok("ota", "targets", "push", str(tmp_path / "www"), made[0])
    assert done.lines[-1] == "timestamp.json"
    assert run.ok("ota", "targets", "push", str(tmp_path / "www"), made[0]).out == ""
    run.fails("ota", "targets", "push", made[0], status=2)
