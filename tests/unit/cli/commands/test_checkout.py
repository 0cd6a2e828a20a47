# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


def paths_below(top):
    return sorted(str(path.relative_to(top)) for path in top.rglob("*"))


WHOLE = ["dir", "dir/inner", "dir/sub", "file", "link", "other"]


@pytest.fixture
def check_out(run, sample, tmp_path):
    def call(*arguments, rev="main", to="out"):
        run.ok(sample.option, "checkout", "-U", *arguments, rev, tmp_path / to)
        return tmp_path / to

    return call


def test_the_whole_tree(check_out):
    out = check_out()
    assert paths_below(out) == WHOLE
    assert (out / "file").read_text() == "changed\n"
    assert (out / "link").readlink().as_posix() == "dir/inner"


def test_destination_is_the_revision_by_default(run, sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run.ok(sample.option, "checkout", "-U", "main")
    assert paths_below(tmp_path / "main") == WHOLE


@pytest.mark.parametrize(
    ("subpath", "expected"), [("/dir", ["inner", "sub"]), ("dir/sub", []), ("/file", ["file"])]
)
def test_a_part(check_out, subpath, expected):
    assert paths_below(check_out(f"--subpath={subpath}")) == expected


def test_a_part_that_is_not_there(run, sample, tmp_path):
    checkout = (sample.option, "checkout", "-U", "--subpath=/nope", "main", tmp_path / "out")
    assert "No such file or directory" in run.fails(*checkout)
    run.ok(*checkout, "--allow-noent")
    assert not (tmp_path / "out").exists()


def test_unions(run, sample, check_out, tmp_path):
    out = check_out(rev="main^")
    message = run.fails(sample.option, "checkout", "-U", "main", out)
    assert "File exists" in message
    check_out("--union-add")
    assert (out / "file").read_text() == "content\n"
    check_out("--union")
    assert (out / "file").read_text() == "changed\n"


def test_skip_list(check_out, tmp_path):
    (tmp_path / "list").write_text("/file\n/dir/sub/\n")
    assert paths_below(check_out(f"--skip-list={tmp_path / 'list'}")) == [
        *("dir", "dir/inner", "link", "other")
    ]


def test_many_from_a_list(run, sample, tmp_path):
    listed = b"main\0/dir\0" + b"main^\0\0" + b"\0ignored\0"
    (tmp_path / "list").write_bytes(listed)
    run.ok(
        sample.option, "checkout", "-U", "--union", "--from-file", tmp_path / "list", tmp_path / "a"
    )
    run.ok(sample.option, "checkout", "-U", "--union", "--from-stdin", tmp_path / "b", stdin=listed)
    for name in ("a", "b"):
        assert paths_below(tmp_path / name) == sorted([*WHOLE, "inner", "sub"])
        assert (tmp_path / name / "file").read_text() == "content\n"


def test_a_list_with_a_mistake_names_it(run, sample, tmp_path):
    found = run(sample.option, "checkout", "-U", "--from-stdin", tmp_path / "a", stdin=b"nope\0/\0")
    assert found.error == "Processing tree nope: Refspec 'nope' not found"


def test_inflated_content_is_kept_unless_told_otherwise(check_out, sample):
    check_out("--disable-cache", to="one")
    check_out("-C", to="two")
    assert not list(sample.path.glob("uncompressed-objects-cache/??"))
    check_out(to="three")
    assert list(sample.path.glob("uncompressed-objects-cache/??"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--union", "--union-add"], "Cannot specify both --union and --union-add"),
        (["-H", "-C"], "Cannot specify both --require-hardlinks and --force-copy"),
        (["--union-identical"], "--union-identical requires --require-hardlinks"),
        (["--selinux-prefix=/x"], "Cannot specify --selinux-prefix without --selinux-policy"),
    ],
)
def test_options_that_contradict_each_other(run, sample, tmp_path, arguments, message):
    checkout = (sample.option, "checkout", *arguments, "main", tmp_path / "out")
    assert run.fails(*checkout, status=2) == message
    assert not (tmp_path / "out").exists()


def test_nothing_given(run, sample):
    assert run.fails(sample.option, "checkout", status=2) == "COMMIT must be specified"
