# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_commits_from_the_newest_on(run, sample):
    content = [line for line in run.ok(sample.option, "show", "main^").lines if "Content" in line]
    found = run.ok(sample.option, "log", "main").out
    head, tail = found.split(f"commit {sample.first}\n")
    assert head.startswith(f"commit {sample.second}\nParent:  {sample.first}\nContentChecksum:  ")
    assert head.endswith("Date:  2001-09-09 01:46:41 +0000\n\n    Second\n\n")
    assert tail == (
        f"{content[0]}\n"
        "Date:  2001-09-09 01:46:40 +0000\n"
        "Version: 1\n\n"
        "    First\n\n"
        "    Body\n    \n    of it\n\n"
    )


def test_without_subject(run, sample, tree):
    run.ok(sample.option, "commit", "-b", "bare", tree)
    assert "(no subject)\n" in run.ok(sample.option, "log", "bare").out


def test_missing_history_is_told(run, sample, make_repo):
    other = make_repo("other")
    run.ok(f"--repo={other}", "pull-local", sample.path, "main")
    found = run.ok(f"--repo={other}", "log", "main")
    assert found.lines[-1] == "<< History beyond this commit not fetched >>"


def test_raw_swaps_every_number(run, sample):
    found = run.ok(sample.option, "log", "--raw", "main^").lines
    assert found[0] == f"commit {sample.first}"
    assert "uint64 1000000000" in found[1]


def test_json(run, sample, schema):
    found = run.ok(sample.option, "log", "--json", "main").json()
    schema(found, "log")
    assert [entry["subject"] for entry in found] == ["Second", "First"]
    assert found[1]["version"] == "1"
    assert found[1]["parent"] is None
    assert found[1]["metadata"]["ostree.ref-binding"] == "['main']"


def test_errors(run, sample):
    assert run.fails(sample.option, "log") == "A rev argument is required"
    assert run.fails(sample.option, "log", "nope") == "Refspec 'nope' not found"
