# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture
def option(make_repo):
    return f"--repo={make_repo('target')}"


def test_all_refs(run, sample, option):
    found = run.ok(option, "pull-local", sample.path)
    assert found.out == "5 metadata, 4 content objects imported; 0 bytes content written\n"
    assert run.ok(option, "refs", "-r").lines == [f"main\t{sample.second}"]
    assert run.ok(option, "cat", "main", "/file").out == "changed\n"
    again = run.ok(option, "pull-local", sample.path)
    assert again.out.startswith("0 metadata, 0 content objects imported; ")


def test_named_refs_and_commits(run, sample, option):
    run.ok(option, "pull-local", sample.path, "main", sample.first)
    assert run.ok(option, "log", "main").out.count("commit ") == 2


def test_depth(run, sample, option):
    run.ok(option, "pull-local", sample.path, "main")
    assert "not fetched" in run.ok(option, "log", "main").out
    run.ok(option, "pull-local", "--depth=1", sample.path, "main")
    assert "not fetched" not in run.ok(option, "log", "main").out


def test_as_refs_of_a_remote(run, sample, option):
    run.ok(option, "pull-local", "--remote=origin", sample.path)
    assert run.ok(option, "refs").lines == ["origin:main"]
    assert run.ok(option, "rev-parse", "origin/main").out.strip() == sample.second


def test_commits_alone(run, sample, option):
    run.ok(option, "pull-local", "--commit-metadata-only", sample.path)
    assert run.ok(option, "log", "main").lines
    assert "1 partial commits not verified" in run.ok(option, "fsck").lines


def test_bindings(run, sample, option):
    run.ok(sample.option, "refs", "main", "--create=unbound")
    message = run.fails(option, "pull-local", sample.path, "unbound")
    assert "no requested ref ‘unbound’" in message
    run.ok(option, "pull-local", "--disable-verify-bindings", sample.path, "unbound")


def test_errors(run, sample, option, tmp_path):
    assert run.fails(option, "pull-local") == "DESTINATION must be specified"
    assert run.fails(option, "pull-local", sample.path, "nope") == "Refspec 'nope' not found"
    assert "opening repo: opendir(" in run.fails(option, "pull-local", tmp_path / "nope")
    assert "static deltas" in run.fails(
        option, "pull-local", "--require-static-deltas", sample.path
    )
    assert "Invalid remote name" in run.fails(option, "pull-local", "--remote=a b", sample.path)


def test_an_empty_path_is_not_the_current_directory(run, sample, option, monkeypatch):
    monkeypatch.chdir(sample.path)
    assert run.fails(option, "pull-local", "", status=2) == "The path of SRC_REPO is empty"


@pytest.mark.parametrize("verb", ["pull-local", "push"])
def test_a_depth_that_is_none(run, sample, make_repo, verb):
    target = make_repo("target")
    source, other = (sample.option, target) if verb == "push" else (f"--repo={target}", sample.path)
    assert run.fails(source, verb, "--depth=-2", other, "main") == "Invalid depth -2"
