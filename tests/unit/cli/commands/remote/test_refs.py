# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture
def remote(run, sample, make_repo):
    path = make_repo("client")
    run.ok(f"--repo={path}", "remote", "add", "--no-sign-verify", "o", f"file://{sample.path}")
    return f"--repo={path}"


def test_refs_by_the_summary(run, sample, remote, schema):
    assert "no summary file" in run.fails(remote, "remote", "refs", "o")
    run.ok(sample.option, "summary", "-u")
    refs = sorted(run.ok(sample.option, "refs").lines)
    assert run.ok(remote, "remote", "refs", "o").lines == [f"o:{ref}" for ref in refs]
    commit = run.ok(sample.option, "rev-parse", refs[0]).out.strip()
    assert run.ok(remote, "remote", "refs", "-r", "o").lines[0] == f"o:{refs[0]}\t{commit}"
    found = run.ok(remote, "remote", "refs", "--json", "o").json()
    schema(found, "remote-refs")
    assert found[0] == {"ref": refs[0], "commit": commit}


def test_errors(run, remote):
    assert run.fails(remote, "remote", "refs") == "NAME must be specified"
    assert run.fails(remote, "remote", "refs", "x") == 'Remote "x" not found'
