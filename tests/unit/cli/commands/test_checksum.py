# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os


def test_what_a_commit_would_call_it(run, sample, tree):
    run.ok(sample.option, "commit", "-b", "mine", "--no-xattrs", tree)
    for name in ("file", "link", "dir"):
        (line,) = run.ok(sample.option, "ls", "-Cd", "mine", name).lines
        expected = line.split()[5 if name == "dir" else 4]
        assert run.ok("checksum", "--ignore-xattrs", tree / name).out == f"{expected}\n"


def test_errors(run, tmp_path):
    assert run.fails("checksum") == "A filename must be given"
    assert "No such file or directory" in run.fails("checksum", tmp_path / "nope")


def test_it_takes_no_repository(run, tmp_path):
    assert run.fails("checksum", "--repo=x", tmp_path) == "Unknown option --repo=x"


def test_json(run, tree, schema):
    found = run.ok("checksum", "--json", tree / "file").json()
    schema(found, "checksum")
    assert found["checksum"] == run.ok("checksum", tree / "file").out.strip()


def test_what_is_no_file_is_named(run, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", "/dev/null"):
        found = run.fails("checksum", path, status=10)
        assert found.startswith(f"{path}: Invalid file metadata mode ")
