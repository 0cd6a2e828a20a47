# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_a_secret_is_printed_once(run, made):
    secret = run.ok("fleet", "token", "add", made[0], "ci", "--may=admin").out.strip()
    assert secret.startswith("ostrya_")
    assert secret not in run.ok("fleet", "token", "list", made[0]).out
    assert "no right" in run.fails("fleet", "token", "add", made[0], "x", "--may=all", status=80)
    assert "one NAME" in run.fails("fleet", "token", "add", made[0], status=2)
