# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_whose_signatures_count(run, made, schema):
    folder, _ = made
    found = run.ok("ota", "keys", "list", folder, "--json").json()
    schema(found, "ota-keys-list")
    assert found["published"] is True
    assert set(found["expires"]) == {"root", "targets", "snapshot", "timestamp"}
    assert [one["role"] for one in found["roles"]] == ["root", "snapshot", "targets", "timestamp"]
    assert all(key["here"] for one in found["roles"] for key in one["keys"])
    assert "root: 1 of 1 sign" in run.ok("ota", "keys", "list", folder).lines


def test_nothing_there(run, tmp_path):
    assert "no repository is kept in" in run.fails(
        "ota", "keys", "list", f"--dir={tmp_path}", status=70
    )
