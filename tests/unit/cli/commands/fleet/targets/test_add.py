# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_files_and_commits(run, made):
    folder, path = made
    run.ok("fleet", "targets", "add", "fw", path, folder, "--hardware-id=board")
    run.ok("fleet", "targets", "add", "os", f"--commit={'a' * 64}", folder, "--hardware-id=board")
    assert run.ok("fleet", "targets", "list", folder).out.count("board") == 2
    assert "another image fw" in run.fails(
        "fleet",
        "targets",
        "add",
        "fw",
        f"--commit={'a' * 64}",
        folder,
        "--hardware-id=b",
        status=80,
    )
    assert "no kind of hardware" in run.fails(
        "fleet", "targets", "add", "x", path, folder, status=80
    )
    assert "NAME and FILE" in run.fails("fleet", "targets", "add", "x", folder, status=2)
