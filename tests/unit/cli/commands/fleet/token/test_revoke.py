# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_withdrawn(run, made):
    run.ok("fleet", "token", "add", made[0], "ci")
    run.ok("fleet", "token", "revoke", made[0], "ci")
    assert "revoked" in run.ok("fleet", "token", "list", made[0]).out
    assert "no token 'ci'" in run.fails("fleet", "token", "revoke", made[0], "ci", status=80)
