# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_what_is_missing(run, tmp_path, schema):
    folder = f"--dir={tmp_path / 'img'}"
    run.ok("ota", "keys", "create", folder, f"--keep=root={tmp_path / 'safe'}")
    done = run("ota", "targets", "sign", folder, "--json")
    assert done.status == 1
    schema(done.json(), "ota-targets-sign")
    assert [one["role"] for one in done.json()["missing"]] == ["root"]
    assert "nothing is published yet" in done.err
    found = run.ok("ota", "targets", "sign", folder, f"--keys={tmp_path / 'safe'}", "--json").json()
    schema(found, "ota-targets-sign")
    assert found["published"][-1] == "timestamp.json"


def test_a_medium_that_is_not_there(run, made):
    assert "no folder of keys" in run.fails(
        "ota", "targets", "sign", made[0], "--keys=/nothing", status=70
    )


def test_a_new_lifetime(run, made):
    done = run.ok("ota", "targets", "sign", made[0], "--renew=root", "--renew=targets")
    assert done.lines[0] == "2.root.json"
    assert "targets.json" in done.lines
    run.fails("ota", "targets", "sign", made[0], "--renew=timestamp", status=70)
    run.fails("ota", "targets", "sign", made[0], "--renew=nobody", status=70)
