# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.commit import Commit


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


def object_path(sample, name, kind="commit"):
    return sample.path / "objects" / name[:2] / f"{name[2:]}.{kind}"


@pytest.mark.parametrize("content", [b"", b"no commit", b"\0" * 40])
@pytest.mark.parametrize("extra", [[], ["--raw"], ["--json"]])
def test_a_damaged_commit_is_named(run, sample, content, extra):
    object_path(sample, sample.first).write_bytes(content)
    found = run(sample.option, "log", *extra, "main")
    assert found.status == 10
    assert found.error.startswith(f"{sample.first}.commit: ")
    assert sample.second in found.out
    assert "not fetched" not in found.out
    if extra == ["--json"]:
        assert [entry["commit"] for entry in found.json()] == [sample.second]
    damaged = run(sample.option, "log", *extra, sample.first)
    assert (damaged.status, damaged.out) == (10, "")
    assert damaged.error.startswith(f"{sample.first}.commit: ")


@pytest.mark.parametrize("extra", [[], ["--raw"], ["--json"]])
@pytest.mark.parametrize("name", ["first", "second"])
def test_a_circle_of_commits_ends(run, sample, extra, name):
    path = object_path(sample, sample.first)
    commit = Commit.decode(path.read_bytes())
    path.write_bytes(commit._replace(parent=getattr(sample, name)).encode())
    found = run(sample.option, "log", *extra, "main")
    assert found.status == 11
    assert found.error == f"Commit {getattr(sample, name)} is its own ancestor"
    assert sample.first in found.out
