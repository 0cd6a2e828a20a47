# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_taken_back(run, made, tmp_path):
    run.ok("ota", "keys", "create", "supplier", f"--dir={tmp_path}")
    words = [f"--key={tmp_path / 'supplier.pub'}", "--path=*", made[0]]
    run.ok("ota", "delegation", "add", "supplier", *words)
    run.ok("ota", "delegation", "remove", "supplier", made[0])
    assert run.ok("ota", "delegation", "list", made[0]).out == ""
    run.ok("ota", "targets", "sign", made[0])
    run.fails("ota", "delegation", "remove", "supplier", made[0], status=70)
    run.fails("ota", "delegation", "remove", made[0], status=2)
