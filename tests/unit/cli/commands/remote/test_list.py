# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_list(run, sample, schema):
    for name in ("zeta", "a"):
        run.ok(sample.option, "remote", "add", name, f"http://{name}")
    assert run.ok(sample.option, "remote", "list").lines == ["a", "zeta"]
    found = run.ok(sample.option, "remote", "list", "-u").lines
    assert found == ["a     http://a", "zeta  http://zeta"]
    as_json = run.ok(sample.option, "remote", "list", "--json").json()
    schema(as_json, "remote-list")
    assert as_json[0] == {"name": "a", "url": "http://a"}


def test_remotes_without_an_address(run, sample):
    run.ok(sample.option, "remote", "add", "m", "metalink=http://m")
    assert run.fails(sample.option, "remote", "list", "-u") == 'No "url" option in remote "m"'
    found = run.ok(sample.option, "remote", "list", "--json").json()
    assert found == [{"name": "m", "url": None}]


def test_those_of_a_parent_repository(run, sample, make_repo):
    child = make_repo("child")
    run.ok(sample.option, "remote", "add", "x", "http://x")
    run.ok(f"--repo={child}", "config", "set", "core.parent", sample.path)
    assert run.ok(f"--repo={child}", "remote", "list").lines == ["x"]
    assert run.ok(f"--repo={child}", "remote", "show-url", "x").out == "http://x\n"
