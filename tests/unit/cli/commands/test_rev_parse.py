# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_names_of_all_kinds(run, sample):
    names = ["main", sample.second, sample.second[:8], "main^", sample.second + "^"]
    found = run.ok(sample.option, "rev-parse", *names)
    assert found.lines == [sample.second] * 3 + [sample.first] * 2


def test_what_does_not_exist(run, sample):
    assert run.fails(sample.option, "rev-parse", "nope", status=20) == "Refspec 'nope' not found"
    assert "has no parent" in run.fails(sample.option, "rev-parse", "main^^")


def test_nothing_given_shows_the_help(run, sample):
    found = run(sample.option, "rev-parse")
    assert found.status == 2
    assert found.err.startswith("Usage:\n  ostrya rev-parse [OPTION…] REV\n")
    assert found.error == "REV must be specified"


def test_the_only_commit(run, sample, make_repo, tree):
    assert run.fails(sample.option, "rev-parse", "-S") == "Multiple commit objects found"
    other = make_repo("other")
    assert run.fails(f"--repo={other}", "rev-parse", "--single") == "No commit objects found"
    checksum = run.ok(f"--repo={other}", "commit", "--orphan", tree).out
    assert run.ok(f"--repo={other}", "rev-parse", "-S").out == checksum
    assert "Cannot specify arguments" in run.fails(f"--repo={other}", "rev-parse", "-S", "x")


def test_json(run, sample, schema):
    found = run.ok(sample.option, "rev-parse", "--json", "main", "main^").json()
    schema(found, "rev-parse")
    assert [entry["commit"] for entry in found] == [sample.second, sample.first]
