# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_a_copy_that_is_a_server(run, made, served, firmware, tmp_path):
    folder = tmp_path / "copy"
    out = run.ok("fleet", "backup", made[0], folder).out
    assert f"ostrya pull-local --repo={folder}/treehub " in out
    run.ok("pull-local", f"--repo={folder}/treehub", f"{made[0][6:]}/treehub")
    assert run.ok("fleet", "device", "list", f"--dir={folder}").out.startswith("dev-1  ")
    assert "no copy can be made" in run.fails("fleet", "backup", made[0], folder, status=80)
    assert "one FOLDER" in run.fails("fleet", "backup", made[0], status=2)
