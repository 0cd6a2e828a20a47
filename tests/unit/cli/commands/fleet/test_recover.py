# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_everything_is_signed_anew(run, made, served, firmware):
    before = served.cycle()
    assert before.agreed == ()
    done = run.ok("fleet", "recover", made[0])
    assert done.out == "signed anew: the Image repository, and what 1 vehicle shall run\n"
    assert served.cycle().agreed == ()
    assert "no arguments" in run.fails("fleet", "recover", made[0], "x", status=2)


def test_keys_that_are_elsewhere(run, tmp_path):
    here, there = tmp_path / "f", tmp_path / "laptop"
    run.ok("fleet", "init", here, "--hostname=localhost", f"--offline-image-keys={there}")
    assert "targets is signed elsewhere" in run.ok("fleet", "recover", f"--dir={here}").err
