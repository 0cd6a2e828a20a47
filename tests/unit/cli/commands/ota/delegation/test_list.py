# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_who_is_trusted(run, made, tmp_path, schema):
    run.ok("ota", "keys", "create", "supplier", f"--dir={tmp_path}")
    words = [
        f"--key={tmp_path / 'supplier.pub'}",
        "--path=a/*",
        "--path=b",
        "--terminating",
        made[0],
    ]
    run.ok("ota", "delegation", "add", "supplier", *words)
    found = run.ok("ota", "delegation", "list", made[0], "--json").json()
    schema(found, "ota-delegation-list")
    (one,) = found["delegations"]
    assert (one["name"], one["paths"], one["terminating"]) == ("supplier", ["a/*", "b"], True)
    assert (
        run.ok("ota", "delegation", "list", made[0]).out
        == "supplier  a/* b  and nobody else is asked\n"
    )
