# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_who_was_given_what(run, made, schema):
    run.ok("fleet", "token", "add", made[0], "ci")
    found = run.ok("fleet", "token", "list", made[0], "--json").json()
    schema(found, "fleet-token-list")
    assert [(one["name"], one["may"]) for one in found["tokens"]] == [("ci", "push")]
    assert run.ok("fleet", "token", "list", made[0]).out.endswith("  good\n")
