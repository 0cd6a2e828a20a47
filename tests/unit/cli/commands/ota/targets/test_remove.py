# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_taken_out(run, made):
    folder, path = made
    run.ok("ota", "targets", "add", "fw", path, "--hardware-id=board", folder)
    run.ok("ota", "targets", "remove", "fw", folder)
    assert run.ok("ota", "targets", "list", folder).out == ""
    assert run.fails("ota", "targets", "remove", "fw", folder, status=70) == "there is no image fw"
    run.fails("ota", "targets", "remove", folder, status=2)
