# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest


@pytest.fixture
def changed(run, sample, tree):
    (tree / "file").unlink()
    (tree / "other").write_text("changed")
    (tree / "new").mkdir()
    (tree / "new/file").write_text("new")
    run.ok(sample.option, "commit", "-b", "next", "--owner-uid=0", "--owner-gid=0", tree)
    return sample


def test_two_commits(run, changed):
    assert run.ok(changed.option, "diff", "main", "next").lines == [
        "M    /other",
        "D    /file",
        "A    /new",
        "A    /new/file",
    ]


def test_one_commit_and_its_parent(run, sample):
    assert run.ok(sample.option, "diff", "main").lines == ["M    /file"]


def test_a_directory_of_this_machine(run, changed, tree, monkeypatch):
    options = ("--owner-uid=0", "--owner-gid=0")
    assert run.ok(changed.option, "diff", *options, "next", tree).out == ""
    monkeypatch.chdir(tree)
    (tree / "extra").write_text("x")
    assert run.ok(changed.option, "diff", *options, "next", "./").lines == ["A    extra"]
    (tree / "link").unlink()
    assert "D    /link" in run.ok(changed.option, "diff", *options, "next", "./").lines


def test_another_owner_differs_everywhere(run, changed, tree):
    other = os.getuid() + 1
    found = run.ok(changed.option, "diff", "next", f"--owner-uid={other}", tree).lines
    assert "M    /other" in found
    assert "M    /new" in found


def test_stats(run, sample):
    found = run.ok(sample.option, "diff", "--stats", "main^", "main").lines
    assert [line.rpartition(":")[0] for line in found] == [
        "[A] Object Count",
        "[B] Object Count",
        "Common Object Count",
        "Common Object Size",
    ]


def test_json(run, changed, schema):
    found = run.ok(changed.option, "diff", "--json", "--stats", "--fs-diff", "main", "next").json()
    schema(found, "diff")
    assert found["added"] == ["/new", "/new/file"]
    assert found["stats"]["common_objects"] > 0


def test_errors(run, sample):
    assert run.fails(sample.option, "diff") == "REV must be specified"
    assert "nope" in run.fails(sample.option, "diff", "main", "nope")
    assert "No such file or directory" in run.fails(sample.option, "diff", "main", "./nope")


def test_json_is_utf8(run, sample, tmp_path):
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / os.fsdecode(b"a\xffb")).write_text("x")
    shown = run.ok(sample.option, "diff", "main", tmp_path / "h", "--json")
    shown.out.encode()
    assert [os.fsencode(path) for path in shown.json()["added"]] == [b"/a\xffb"]
