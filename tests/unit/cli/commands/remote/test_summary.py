# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture
def remote(run, sample, make_repo):
    path = make_repo("client")
    run.ok(f"--repo={path}", "remote", "add", "--no-sign-verify", "o", f"file://{sample.path}")
    return f"--repo={path}"


def test_as_the_server_has_it(run, sample, remote, schema):
    assert run.fails(remote, "remote", "summary", "o") == "Remote server has no summary file"
    run.ok(sample.option, "summary", "-u")
    for option in ([], ["--raw"], ["--list-metadata-keys"]):
        shown = ["--view"] if option == [] else option
        expected = run.ok(sample.option, "summary", *shown).out
        found = run.ok(remote, "remote", "summary", *option, "o").out
        assert found == expected.replace("Summary is unsigned\n", "")
    key = "ostree.summary.mode"
    found = run.ok(remote, "remote", "summary", f"--print-metadata-key={key}", "o").out
    assert found == "'archive-z2'\n"
    schema(run.ok(remote, "remote", "summary", "--json", "o").json(), "remote-summary")


def test_errors(run, sample, remote):
    assert run.fails(remote, "remote", "summary") == "NAME must be specified"
    run.ok(sample.option, "summary", "-u")
    message = run.fails(remote, "remote", "summary", "--print-metadata-key=x", "o")
    assert message == "No such metadata key 'x'"
