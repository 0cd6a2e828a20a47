# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_taken_out(run, made, firmware):
    assert (
        run.ok("fleet", "targets", "remove", made[0], firmware).out == "fw-1 is published no more\n"
    )
    assert run.ok("fleet", "targets", "list", made[0]).out == ""
    assert "there is no image" in run.fails("fleet", "targets", "remove", made[0], "x", status=80)
